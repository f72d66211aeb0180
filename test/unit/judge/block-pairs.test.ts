import { describe, expect, it } from 'vitest'
import { createBaseline } from '../../../src/judge/baseline.ts'
import { createBlockPairs } from '../../../src/judge/block-pairs.ts'
import { createCohortUnits } from '../../../src/judge/cohort-units.ts'
import { createJudge } from '../../../src/judge/judge.ts'
import {
  BLOCK_MS,
  blockOf,
  cellOf,
  DE,
  EN,
  ERROR_RELATIVE,
  metricsOf,
  rowOf,
  START_MS,
  specOf,
} from './judge-builders.ts'

function setUp(merges = true) {
  const units = createCohortUnits({ by: ['locale', 'device'], key: [] })
  const history = [{ cohort: EN, metrics: metricsOf(5000, 50) }]
  const baseline = createBaseline(units, history, [0.95])
  baseline.freezeRates()
  const pairs = createBlockPairs(baseline, { merges, lengthMs: BLOCK_MS })
  const cells = { en: units.cellOf(EN), de: units.cellOf(DE) }
  const stratum = (cell: keyof typeof cells, canary: number, stable: number, errors = 0) => ({
    cell: cells[cell],
    canary: metricsOf(canary, Math.min(canary, errors)),
    stable: metricsOf(stable, Math.min(stable, errors)),
  })
  return { baseline, pairs, cells, stratum }
}

describe('blocks of a small cohort', () => {
  it('are added up until the canary has a request and the baseline nine', () => {
    const { pairs, stratum } = setUp()
    expect(pairs.fold([stratum('en', 0, 20)], 1 * BLOCK_MS)).toEqual([])
    expect(pairs.fold([stratum('en', 2, 4, 1)], 2 * BLOCK_MS)).toMatchObject([
      { canary: { requests: 2, errors: 1 }, stable: { requests: 24, errors: 1 } },
    ])
    expect(pairs.fold([stratum('en', 1, 8)], 3 * BLOCK_MS)).toEqual([])
    expect(pairs.fold([stratum('en', 0, 1)], 4 * BLOCK_MS)).toMatchObject([
      { canary: { requests: 1 }, stable: { requests: 9 } },
    ])
  })

  it('are taken as they are after ten minutes, also when the last of them are empty', () => {
    const { pairs, stratum } = setUp()
    expect(pairs.fold([stratum('en', 0, 20)], BLOCK_MS)).toEqual([])
    expect(pairs.fold([], 59 * BLOCK_MS)).toEqual([])
    expect(pairs.fold([], 60 * BLOCK_MS)).toMatchObject([{ stable: { requests: 20 } }])
    expect(pairs.fold([], 61 * BLOCK_MS)).toEqual([])
  })

  it('are complete by counts alone, however the requests ended', () => {
    const all = [0, 1, 5].map((errors) => {
      const { pairs, stratum } = setUp()
      return [3, 0, 1, 7, 2].map(
        (n, at) => pairs.fold([stratum('en', n % 2, n, errors)], at).length,
      )
    })
    expect(all[1]).toEqual(all[0])
    expect(all[2]).toEqual(all[0])
  })

  it('are compared with what was known of the baseline before the first of them', () => {
    const { baseline, pairs, cells, stratum } = setUp()
    const before = baseline.rollingRate(cells.en)
    pairs.fold([stratum('en', 0, 20)], BLOCK_MS)
    baseline.add(new Map([[cells.en, metricsOf(5000, 4000)]]))
    const [pair] = pairs.fold([stratum('en', 1, 0)], 2 * BLOCK_MS)
    expect(pair!.errorRate).toBe(before)
    const [next] = pairs.fold([stratum('en', 1, 20)], 3 * BLOCK_MS)
    expect(next!.errorRate).toBeGreaterThan(10 * before)
  })

  it('come in the order of the cells, whichever began first', () => {
    const { pairs, stratum } = setUp()
    pairs.fold([stratum('de', 0, 20)], BLOCK_MS)
    const both = pairs.fold([stratum('en', 1, 9), stratum('de', 1, 0)], 2 * BLOCK_MS)
    expect(both.map(({ cell }) => cell.cohort)).toEqual([EN, DE])
  })

  it('stay apart where a block is all there is', () => {
    const { pairs, stratum } = setUp(false)
    expect(pairs.fold([stratum('en', 0, 20)], BLOCK_MS)).toHaveLength(1)
  })
})

describe('a cohort with a canary request now and then', () => {
  const history = [{ cohort: EN, metrics: metricsOf(20_000, 100) }]
  /** Six blocks with two requests to the baseline each, then one with a request to the canary. */
  const judged = (blocks: number, canaryError: (turn: number) => boolean) => {
    const judge = createJudge(specOf([ERROR_RELATIVE]), history, START_MS)
    judge.startStep(0, START_MS)
    for (let index = 0; index < blocks; index++) {
      const isCanary = index % 7 === 6
      const cell = isCanary
        ? cellOf('canary', DE, metricsOf(1, canaryError(Math.floor(index / 7)) ? 1 : 0))
        : cellOf('stable', DE, metricsOf(2, 0))
      judge.fold(blockOf(index, [cell, cellOf('canary', EN, metricsOf(1, 0))]))
    }
    return judge
  }

  it('is compared all the same: no block alone has both arms', () => {
    expect(rowOf(judged(700, () => true).assess(), 'error_rate', DE).logEBreach).toBeGreaterThan(10)
  })

  it('does not take what waited in the step before for evidence of the present one', () => {
    const judge = judged(13, () => false)
    judge.startStep(1, START_MS + 13 * BLOCK_MS)
    judge.fold(blockOf(13, [cellOf('canary', DE, metricsOf(1, 0))]))
    const [waited] = [rowOf(judge.assess(), 'error_rate', DE)]
    expect(waited.stable.n).toBe(24)
    expect(waited.needs).toBeNull()
  })
})
