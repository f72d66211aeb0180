import { describe, expect, it } from 'vitest'
import type { BlockCell } from '../../../src/domain/block.ts'
import { BIN_SCALE } from '../../../src/judge/latency-scale.ts'
import type { WindowMetrics } from '../../../src/judge/one-window.ts'
import { judgeWindow } from '../../../src/judge/one-window.ts'
import {
  blockOf,
  cellOf,
  EN,
  ERROR_MAX,
  ERROR_PP,
  metricsOf,
  rowOf,
  specOf,
} from './judge-builders.ts'

const ONE = { cohorts: { by: [], key: [] } }

/** What a judge says of one window of these cells. */
function judged(cells: readonly BlockCell[], overrides: Partial<WindowMetrics> = {}) {
  const window = { block: blockOf(3, cells), scale: BIN_SCALE, points: [], trustPoints: true }
  return judgeWindow(specOf([ERROR_MAX, ERROR_PP], { ...ONE, warmupMs: 1e9 }), {
    ...{ ...window, sizesKnown: true },
    ...overrides,
  })
}

describe('one window', () => {
  const cells = [
    cellOf('stable', EN, metricsOf(9000, 45)),
    cellOf('canary', EN, metricsOf(3000, 15)),
  ]

  it('is the whole of the release: its own history, its only block, and no warm-up', () => {
    const assessment = judged(cells)
    expect(assessment).toMatchObject({ started: true, canaryRequests: 3000, coverage: 1 })
    expect(rowOf(assessment, 'error_rate').canary).toEqual({ value: 0.005, n: 3000 })
    expect(assessment.rows.map(({ method }) => method)).toEqual(['T1', 'single_window'])
  })

  it('reckons what is still needed by how long it lasted', () => {
    const [, row] = judged([cells[0]!, cellOf('canary', EN, metricsOf(300, 1))]).rows
    const { requests, seconds } = row!.needs!
    expect(requests).toBeGreaterThan(0)
    // 300 canary requests in ten seconds.
    expect(requests / seconds).toBeCloseTo(30, 0)
  })

  it('has canary data when the file says no sizes, up to its end', () => {
    const none = { newestCanaryEndMs: null, newestCanaryEndInStepMs: null }
    expect(judged([])).toMatchObject(none)
    const { endMs } = blockOf(3, [])
    expect(judged([], { sizesKnown: false })).toMatchObject({
      ...{ newestCanaryEndMs: endMs, newestCanaryEndInStepMs: endMs },
    })
  })

  it('says nothing against a version without data', () => {
    const [max, increase] = judged([cellOf('canary', EN, metricsOf(3000, 15))]).rows
    expect(max?.method).toBe('T1')
    expect(increase).toMatchObject({ method: 'single_window', verdict: 'no_data', needs: null })
  })
})
