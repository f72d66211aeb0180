import { expect, test } from 'vitest'
import { assertGuarded } from '../../../../src/adapters/http/access.ts'
import { HaldaneError } from '../../../../src/domain/errors.ts'

test('an address that others can reach needs a token', () => {
  expect(() => assertGuarded('0.0.0.0', null)).toThrow(HaldaneError)
  expect(() => assertGuarded('0.0.0.0', null)).toThrow('without a token')
  expect(() => assertGuarded('0.0.0.0', 'secret')).not.toThrow()
  expect(() => assertGuarded('127.0.0.1', null)).not.toThrow()
})

test('an empty token is refused, because it guards nothing', () => {
  expect(() => assertGuarded('127.0.0.1', '')).toThrow('empty')
})
