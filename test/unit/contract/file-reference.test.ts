import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createFileClock, createFileReference } from '../../../src/contract/file-reference.ts'

const MINUTE = 60_000

function naiveMedian(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? null
}

describe('createFileReference', () => {
  it('is the median of the last 101 pushed times, as a naive version computes it', () => {
    const noise = fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 400, size: 'max' })
    fc.assert(
      fc.property(noise, fc.constantFrom(-50, 0, 1, 50), (offsets, drift) => {
        const values = offsets.map((offset, index) => offset + index * drift)
        const reference = createFileReference()
        const seen: number[] = []
        expect(reference.reference()).toBeNull()
        for (const value of values) {
          reference.push(value)
          seen.push(value)
          expect(reference.reference()).toBe(naiveMedian(seen.slice(-101)))
        }
      }),
    )
  })

  it('takes the later of the two middle times of an even number', () => {
    const reference = createFileReference()
    reference.push(10)
    reference.push(20)
    expect(reference.reference()).toBe(20)
  })
})

describe('createFileClock', () => {
  const timely = (occurredAtMs: number, referenceMs: number) =>
    occurredAtMs - referenceMs <= 10 * MINUTE && referenceMs - occurredAtMs <= 10 * MINUTE

  function run(times: readonly number[], recorded: readonly (number | null)[] = []) {
    const clock = createFileClock<number>(timely)
    const judged = times.flatMap((time, index) => clock.push(index, time, recorded[index] ?? null))
    return [...judged, ...clock.end()]
  }

  it('judges the first 101 events against the median of them all', () => {
    const times = Array.from({ length: 101 }, (_, index) => index * 1000)
    times[0] = 1000 * MINUTE
    const judged = run(times)
    expect(new Set(judged.map(({ referenceMs }) => referenceMs))).toEqual(new Set([51_000]))
    expect(judged.filter(({ accepted }) => !accepted).map(({ item }) => item)).toEqual([0])
  })

  it('gives nothing before it has 101 events or the end of the file', () => {
    const clock = createFileClock<number>(timely)
    for (let index = 0; index < 100; index++) expect(clock.push(index, index, null)).toEqual([])
    expect(clock.push(100, 100, null).length).toBe(101)
    expect(clock.push(101, 101, null).length).toBe(1)
    expect(clock.end()).toEqual([])
  })

  it('keeps the order of the file', () => {
    const times = Array.from({ length: 250 }, (_, index) => index)
    expect(run(times).map(({ item }) => item)).toEqual(times)
  })

  it('judges later events against the last 101 accepted ones, as a naive version does', () => {
    const step = fc.constantFrom(0, 1000, -1000, 9 * MINUTE, 60 * MINUTE, -60 * MINUTE)
    const steps = fc.array(step, { minLength: 102, maxLength: 300, size: 'max' })
    fc.assert(
      fc.property(steps, (offsets) => {
        const times = offsets.map((offset, index) => 1e12 + index * 100 + offset)
        const first = naiveMedian(times.slice(0, 101)) ?? 0
        const accepted: number[] = []
        const expected = times.map((time, index) => {
          const referenceMs = index < 101 ? first : (naiveMedian(accepted.slice(-101)) ?? time)
          const ok = timely(time, referenceMs)
          if (ok) accepted.push(time)
          return { item: index, occurredAtMs: time, referenceMs, accepted: ok }
        })
        expect(run(times)).toEqual(expected)
      }),
    )
  })

  it('judges a line with recorded_at against that', () => {
    const judged = run([0, 0, 1000 * MINUTE], [null, 1000 * MINUTE, 1000 * MINUTE])
    expect(judged.map(({ accepted }) => accepted)).toEqual([true, false, true])
  })
})
