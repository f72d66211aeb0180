import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createWatchdog } from '../../../../src/adapters/kafka/watchdog.ts'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

it('tells once when there was no sign of life for the whole time', () => {
  const onSilence = vi.fn()
  createWatchdog(1000, onSilence)
  vi.advanceTimersByTime(1000)
  expect(onSilence).not.toHaveBeenCalled()
  vi.advanceTimersByTime(10_000)
  expect(onSilence).toHaveBeenCalledOnce()
  expect(vi.getTimerCount()).toBe(0)
})

it('waits anew after every sign', () => {
  const onSilence = vi.fn()
  const watchdog = createWatchdog(1000, onSilence)
  for (let turn = 0; turn < 20; turn++) {
    vi.advanceTimersByTime(900)
    watchdog.sign()
  }
  expect(onSilence).not.toHaveBeenCalled()
  watchdog.stop()
  vi.advanceTimersByTime(10_000)
  expect(onSilence).not.toHaveBeenCalled()
})
