import { expect, it } from 'vitest'
import { murmur2, partitionOf } from '../../../../src/adapters/memory/murmur2.ts'

it("agrees with the hashes in Kafka's own tests, for every length of the last word", () => {
  const hashOf = (text: string) => murmur2(Buffer.from(text))
  expect(hashOf('21')).toBe(-973932308)
  expect(hashOf('abc')).toBe(479470107)
  expect(hashOf('foobar')).toBe(-790332482)
  expect(hashOf('a-little-bit-long-string')).toBe(-985981536)
  expect(hashOf('a-little-bit-longer-string')).toBe(-1486304829)
  expect(hashOf('lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8')).toBe(-58897971)
})

it('makes a negative hash positive by dropping its sign bit, as Kafka does', () => {
  expect(partitionOf(Buffer.from('21'), 7)).toBe((-973932308 & 0x7fffffff) % 7)
})
