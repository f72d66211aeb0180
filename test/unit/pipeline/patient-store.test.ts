import { describe, expect, it } from 'vitest'
import { HaldaneError } from '../../../src/domain/errors.ts'
import { createPatientStore } from '../../../src/pipeline/patient-store.ts'
import type { Store } from '../../../src/ports.ts'
import { silentLog, wallClock } from '../../support/temp-store.ts'

const away = new HaldaneError('store_unavailable', 'away', { retryable: true })
const wrong = new HaldaneError('unauthorized', 'wrong password')

/** A store whose `acks` fails as listed, one after the other, then answers. */
function failing(failures: Error[]): { store: Store; calls: string[] } {
  const calls: string[] = []
  const acks: Store['acks'] = async (route) => {
    calls.push(route)
    const failure = failures.shift()
    if (failure !== undefined) throw failure
    return []
  }
  return { store: { acks, ping: acks.bind(null, 'ping') } as unknown as Store, calls }
}

describe('a patient store', () => {
  const open = (store: Store, signal = new AbortController().signal) =>
    createPatientStore(store, { clock: wallClock, log: silentLog, signal })

  it('asks again, with the same question, until a server that was away answers', async () => {
    const { store, calls } = failing([away, away, away])
    expect(await open(store).acks('m/production')).toEqual([])
    expect(calls).toEqual(Array(4).fill('m/production'))
  })

  it('passes on at once what does not pass by itself', async () => {
    const { store, calls } = failing([wrong])
    await expect(open(store).acks('m/production')).rejects.toBe(wrong)
    expect(calls).toHaveLength(1)
  })

  it('gives up when the worker ends, and does not delay a ping', async () => {
    const ended = new AbortController()
    ended.abort()
    const { store, calls } = failing([away, away])
    await expect(open(store, ended.signal).acks('m/production')).rejects.toBe(away)
    await expect(open(store).ping()).rejects.toBe(away)
    expect(calls).toHaveLength(2)
  })
})
