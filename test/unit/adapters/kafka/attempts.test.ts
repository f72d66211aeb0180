import { describe, expect, it } from 'vitest'
import { answered, within, withRetries } from '../../../../src/adapters/kafka/attempts.ts'
import { isTransient } from '../../../../src/adapters/kafka/failure.ts'
import type { Clock } from '../../../../src/ports.ts'
import { createGate } from '../../../support/bus-probe.ts'

/** Sleeps end at once and are remembered. */
const createHastyClock = (): Clock & { readonly slept: number[] } => {
  const slept: number[] = []
  return {
    slept,
    now: () => 0,
    async sleep(ms) {
      slept.push(ms)
    },
  }
}
const endless: Clock = {
  now: () => 0,
  sleep: (_, signal) =>
    new Promise((resolve) => signal?.addEventListener('abort', () => resolve())),
}
const passing = Object.assign(new Error('loading'), { retriable: true })

describe('requests', () => {
  it('are repeated while they fail in a way that may pass, for about ten seconds', async () => {
    const clock = createHastyClock()
    let calls = 0
    const result = withRetries(clock, async () => {
      if (++calls < 4) throw passing
      return 'done'
    })
    expect(await result).toBe('done')
    expect(clock.slept).toEqual([100, 200, 400])

    const stubborn = withRetries(clock, () => Promise.reject(passing))
    await expect(stubborn).rejects.toBe(passing)
    expect(clock.slept.slice(3).reduce((sum, ms) => sum + ms, 0)).toBe(9500)
  })

  it('are not repeated when they cannot succeed', async () => {
    const clock = createHastyClock()
    await expect(withRetries(clock, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect(clock.slept).toEqual([])
  })

  it('without an answer fail in a way that may pass', async () => {
    const failure = await answered(createHastyClock(), 3000, new Promise(() => {})).catch(
      (error: Error) => error,
    )
    expect((failure as Error).message).toBe('no answer within 3 s')
    expect(isTransient(failure)).toBe(true)
  })

  it('with an answer in time give it, whatever it is', async () => {
    expect(await answered(endless, 1, Promise.resolve(7))).toBe(7)
    await expect(answered(endless, 1, Promise.reject(new Error('no')))).rejects.toThrow('no')
  })
})

describe('waiting for work', () => {
  it('ends with the work, however that ends', async () => {
    await within(endless, 1, Promise.reject(new Error('ignored')))
    const gate = createGate()
    gate.open()
    await within(endless, 1, gate.passed)
  })

  it('ends when the time is over', async () => {
    await within(createHastyClock(), 1, new Promise(() => {}))
  })
})
