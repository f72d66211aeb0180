import { describe, expect, it } from 'vitest'
import { HaldaneError } from '../../../src/domain/errors.ts'
import { retry } from '../../../src/pipeline/retry.ts'

const policy = { firstDelayMs: 100, delayMaxMs: 300, attemptsMax: 5 }

function clockWith(delays: number[]) {
  return {
    now: () => 0,
    sleep: (ms: number) => {
      delays.push(ms)
      return Promise.resolve()
    },
  }
}

function failing(times: number, retryable: boolean) {
  let left = times
  return () => {
    if (left-- > 0) throw new HaldaneError('store_unavailable', 'down', { retryable })
    return Promise.resolve('up')
  }
}

describe('retry', () => {
  it('doubles the delay up to its maximum until the operation succeeds', async () => {
    const delays: number[] = []
    expect(await retry(async () => failingFour(), policy, clockWith(delays))).toBe('up')
    expect(delays).toEqual([100, 200, 300, 300])
  })
  const failingFour = failing(4, true)

  it('throws what is not retryable at once', async () => {
    const delays: number[] = []
    const operation = failing(1, false)
    await expect(retry(async () => operation(), policy, clockWith(delays))).rejects.toThrow('down')
    expect(delays).toEqual([])
  })

  it('gives up after the last attempt and when aborted', async () => {
    const operation = failing(99, true)
    await expect(retry(async () => operation(), policy, clockWith([]))).rejects.toThrow('down')
    const ending = new AbortController()
    ending.abort()
    const delays: number[] = []
    const options = { signal: ending.signal }
    await expect(
      retry(async () => operation(), policy, clockWith(delays), options),
    ).rejects.toThrow('down')
    expect(delays).toEqual([])
  })
})
