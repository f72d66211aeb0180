import { expect, test } from 'vitest'
import { assertGuarded, isLoopback } from '../../../../src/adapters/http/access.ts'
import { HaldaneError } from '../../../../src/domain/errors.ts'

test.each([
  '127.0.0.1',
  '127.8.9.10',
  'localhost',
  'LOCALHOST',
  'worker.localhost',
  '::1',
  '[::1]',
])('%s is the machine itself', (host) => {
  expect(isLoopback(host)).toBe(true)
})

test.each([
  '0.0.0.0',
  '::',
  '10.0.0.1',
  '127.0.0.1.example.com',
  '127.evil.com',
  'localhost.example.com',
  'example.com',
  '',
])('"%s" is not the machine itself', (host) => {
  expect(isLoopback(host)).toBe(false)
})

test('an address that others can reach needs a token', () => {
  expect(() => assertGuarded('0.0.0.0', null)).toThrow(HaldaneError)
  expect(() => assertGuarded('0.0.0.0', null)).toThrow('without a token')
  expect(() => assertGuarded('0.0.0.0', 'secret')).not.toThrow()
  expect(() => assertGuarded('127.0.0.1', null)).not.toThrow()
})

test('an empty token is refused, because it guards nothing', () => {
  expect(() => assertGuarded('127.0.0.1', '')).toThrow('empty')
})
