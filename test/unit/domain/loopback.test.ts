import { expect, test } from 'vitest'
import { isLoopback } from '../../../src/domain/loopback.ts'

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
  '127.0.0.256',
  '127.1',
  'localhost.example.com',
  'example.com',
  '',
])('"%s" is not the machine itself', (host) => {
  expect(isLoopback(host)).toBe(false)
})
