import { describe, expect, it } from 'vitest'
import { deviceOfWord, outcomeOfStatus } from '../../../src/contract/event-words.ts'

describe('deviceOfWord', () => {
  it('knows the seven devices in any case', () => {
    expect(deviceOfWord('mobile')).toBe('mobile')
    expect(deviceOfWord('Tablet')).toBe('tablet')
    expect(deviceOfWord('TV')).toBe('tv')
    expect(deviceOfWord('UNKNOWN')).toBe('unknown')
  })

  it('knows no other word, inherited names among them', () => {
    for (const word of ['', 'phone', ' mobile', 'constructor', '__proto__']) {
      expect(deviceOfWord(word)).toBeNull()
    }
  })
})

describe('outcomeOfStatus', () => {
  it.each([
    [100, 'ok'],
    [200, 'ok'],
    [399, 'ok'],
    [400, 'error'],
    [408, 'timeout'],
    [429, 'rejected'],
    [499, 'cancelled'],
    [500, 'error'],
    [504, 'timeout'],
    [599, 'error'],
  ] as const)('derives from %i: %s', (status, outcome) => {
    expect(outcomeOfStatus(status)).toBe(outcome)
  })
})
