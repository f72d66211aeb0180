import { createRequire } from 'node:module'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { calmRequestQueue } from '../../../../src/adapters/kafka/request-queue.ts'

interface Queue {
  push(request: object): void
  fulfillRequest(response: object): void
}

const load = createRequire(import.meta.url)
const RequestQueue = load('kafkajs/src/network/requestQueue') as new (options: object) => Queue

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

const logger = { debug() {}, warn() {} }
const request = (correlationId: number, sendRequest: () => void) => ({
  entry: { correlationId, resolve() {}, reject() {} },
  expectResponse: true,
  sendRequest,
})

it('arms no timer on an idle connection, and still sends what had to wait', () => {
  calmRequestQueue()
  calmRequestQueue()
  const queue = new RequestQueue({ maxInFlightRequests: 1, requestTimeout: 1000, logger })
  const sent: number[] = []
  queue.push(request(1, () => sent.push(1)))
  queue.push(request(2, () => sent.push(2)))
  expect(sent).toEqual([1])
  queue.fulfillRequest({ correlationId: 1, payload: null, size: 0 })
  expect(sent).toEqual([1, 2])
  queue.fulfillRequest({ correlationId: 2, payload: null, size: 0 })
  vi.advanceTimersByTime(1000)
  expect(vi.getTimerCount()).toBe(0)
})
