import { describe, expect, it } from 'vitest'
import type { ClosedBlock } from '../../../src/domain/block.ts'
import type { Metric } from '../../../src/domain/release.ts'
import {
  blockOf,
  cellOf,
  DE,
  EN,
  ERROR_MAX,
  guardrail,
  KPI_DROP,
  metricsOf,
  QUALITY_DROP,
} from './judge-builders.ts'
import { cellsOf, foldBlocks, judgeOf } from './traffic-builders.ts'

describe('labels', () => {
  const scored = (n: number) => ({ quality: { n, sum: 0.9 * n, sumSquares: 0.82 * n } })

  function labelled(stableN: number, canaryN: number, guardrails = [QUALITY_DROP]) {
    const judge = judgeOf('observed', guardrails)
    const cells = [
      cellOf('stable', EN, metricsOf(900, 0, scored(stableN))),
      cellOf('canary', EN, metricsOf(100, 0, scored(canaryN))),
    ]
    foldBlocks(judge, 0, 40, cells)
    return judge.assess().labels
  }

  it('are missed in one version only', () => {
    expect(labelled(810, 60)).toMatchObject([
      { metric: 'quality', stable: 0.9, canary: 0.6, differs: true },
    ])
    expect(labelled(810, 90)).toMatchObject([{ stable: 0.9, canary: 0.9, differs: false }])
    expect(labelled(900, 100)).toMatchObject([{ logE: 0, differs: false }])
  })

  it('of failed requests are not asked for: that more fail is another question', () => {
    const judge = judgeOf('observed', [QUALITY_DROP])
    const cells = [
      cellOf('stable', EN, metricsOf(900, 9, scored(891))),
      cellOf('canary', EN, metricsOf(100, 30, scored(70))),
    ]
    foldBlocks(judge, 0, 40, cells)
    expect(judge.assess().labels).toMatchObject([{ stable: 1, canary: 1, differs: false }])
  })

  it('are looked for where the metric has them, whichever of the KPIs it is', () => {
    const clicks: Metric = { kind: 'kpi', name: 'kpi.clicks', key: 'clicks', bounds: [0, 1] }
    const guardrails = [guardrail(clicks, { kind: 'max_drop', value: 0.01 }), KPI_DROP]
    const judge = judgeOf('observed', guardrails)
    const valued = (n: number) => ({ n, sum: 0.1 * n, sumSquares: 0.1 * n })
    const cells = [
      cellOf('stable', EN, metricsOf(900, 0, { kpis: [valued(900), valued(810)] })),
      cellOf('canary', EN, metricsOf(100, 0, { kpis: [valued(100), valued(60)] })),
    ]
    foldBlocks(judge, 0, 40, cells)
    expect(judge.assess().labels).toMatchObject([
      { metric: 'kpi.clicks', stable: 1, canary: 1, differs: false },
      { metric: 'kpi.sales', stable: 0.9, canary: 0.6, differs: true },
    ])
  })

  it('may differ by a thousandth of the requests, however sure that is', () => {
    const read = (stableLack: number, canaryLack: number) => {
      const judge = judgeOf('observed', [QUALITY_DROP])
      const cells = [
        cellOf('stable', EN, metricsOf(10_000, 0, scored(10_000 - stableLack))),
        cellOf('canary', EN, metricsOf(10_000, 0, scored(10_000 - canaryLack))),
      ]
      foldBlocks(judge, 0, 40, cells)
      return judge.assess().labels[0]
    }
    expect(read(1, 10)).toMatchObject({ stable: 0.9999, canary: 0.999, differs: false })
    expect(read(1, 10)?.logE).toBeGreaterThan(50)
    expect(read(1, 12)).toMatchObject({ differs: true })
    expect(read(12, 1)).toMatchObject({ differs: true })
  })

  it('of guardrails in dry run, and of metrics that all requests have, are not looked at', () => {
    expect(labelled(810, 60, [{ ...QUALITY_DROP, dryRun: true }, ERROR_MAX])).toEqual([])
    expect(labelled(810, 60, [QUALITY_DROP, QUALITY_DROP, KPI_DROP]).map((l) => l.metric)).toEqual([
      'quality',
      'kpi.sales',
    ])
  })
})

describe('late events', () => {
  function late(lateCanary: number, lateOthers: number) {
    const judge = judgeOf('observed')
    for (let block = 0; block < 40; block++) {
      const built = blockOf(block, cellsOf([{ stable: 900, canary: 100 }]))
      const closed: ClosedBlock = {
        ...built,
        events: 1000 + lateCanary + lateOthers,
        late: lateCanary + lateOthers,
        lateCanary,
      }
      judge.fold(closed)
    }
    return judge.assess().late
  }

  it('of the canary alone are noticed below one in a hundred', () => {
    expect(late(4, 2)).toMatchObject({ differs: true })
    expect(late(1, 9)).toMatchObject({ differs: false })
    expect(late(0, 0)).toMatchObject({ differs: false, logE: 0 })
  })

  it('are counted among those of the version, cancelled ones too, and of all others', () => {
    const judge = judgeOf('observed')
    const cells = [
      cellOf('stable', EN, metricsOf(900)),
      cellOf('canary', EN, metricsOf(90, 0, { cancelled: 10 })),
      cellOf('canary', DE, metricsOf(50, 0)),
    ]
    judge.fold({ ...blockOf(0, cells), events: 1100, duplicates: 20, late: 12, lateCanary: 10 })
    const { stable, canary } = judge.assess().late
    expect(canary).toBeCloseTo(10 / 160, 15)
    expect(stable).toBeCloseTo(2 / (1100 - 20 - 160), 15)
  })

  it('of others may be more than the events the block says it has', () => {
    const judge = judgeOf('observed')
    const built = blockOf(0, cellsOf([{ stable: 900, canary: 100 }]))
    judge.fold({ ...built, events: 100, late: 40, lateCanary: 0 })
    expect(judge.assess().late).toMatchObject({ stable: 1, canary: 0 })
  })
})

describe('sample rates', () => {
  function sampled(stable: number, canary: number) {
    const judge = judgeOf('assigned')
    foldBlocks(judge, 0, 10, [
      cellOf('stable', EN, metricsOf(900, 0, { sampleRates: [stable, stable] })),
      cellOf('canary', EN, metricsOf(100, 0, { sampleRates: [canary, canary] })),
      cellOf('stable', DE, metricsOf(900)),
      cellOf('canary', DE, metricsOf(100)),
    ])
    return judge
  }

  it('that differ are named with their cohort, and its split is not judged', () => {
    const judge = sampled(0.5, 1)
    expect(judge.assess().sampledApart).toEqual([EN])
    expect(judge.assess().split.requests).toBe(8 * 1000)
    foldBlocks(judge, 10, 1, cellsOf([{ stable: 900, canary: 100 }]))
    expect(judge.assess().sampledApart).toEqual([])
  })

  it('that differ in several cohorts are named in the order in which these came', () => {
    const judge = judgeOf('assigned')
    const apart = (cohort: typeof EN) => [
      cellOf('stable', cohort, metricsOf(900)),
      cellOf('canary', cohort, metricsOf(100, 0, { sampleRates: [0.5, 0.5] })),
    ]
    foldBlocks(judge, 0, 1, [...apart(EN), ...cellsOf([{ stable: 900, canary: 100, cohort: DE }])])
    foldBlocks(judge, 1, 1, [...apart(DE), ...apart(EN)])
    expect(judge.assess().sampledApart).toEqual([DE, EN])
  })

  it('are looked at where both versions have requests, at both ends of what there is', () => {
    const read = (
      stable: readonly [number, number],
      canary: readonly [number, number],
      sent = 100,
    ) => {
      const judge = judgeOf('assigned')
      foldBlocks(judge, 0, 1, [
        cellOf('stable', EN, metricsOf(900, 0, { sampleRates: stable })),
        cellOf('canary', EN, metricsOf(sent, 0, { sampleRates: canary })),
      ])
      return judge.assess().sampledApart
    }
    expect(read([0.5, 1], [0.5, 0.8])).toEqual([EN])
    expect(read([0.5, 1], [0.6, 1])).toEqual([EN])
    expect(read([0.5, 1], [0.5, 1])).toEqual([])
    expect(read([0.5, 1], [0.6, 1], 0)).toEqual([])
  })

  it('may be any, if both versions have the same', () => {
    expect(sampled(0.5, 0.5).assess().sampledApart).toEqual([])
  })
})

describe('an alarm', () => {
  it.each([
    { guardrails: [ERROR_MAX], checks: 3 },
    { guardrails: [ERROR_MAX, QUALITY_DROP, KPI_DROP], checks: 5 },
  ])('shares one in a thousand with all $checks checks in both steps', ({ guardrails, checks }) => {
    const judge = judgeOf('assigned', guardrails)
    const level = Math.log(1000 * 2 * checks)
    const seen: { logE: number; broken: boolean }[] = []
    for (let block = 0; block < 60; block++) {
      foldBlocks(judge, block, 1, cellsOf([{ stable: 88, canary: 12 }]))
      const { logESampleRatio: logE, sampleRatioBroken: broken } = judge.assess().split
      seen.push({ logE, broken })
    }
    expect(seen.map(({ broken }) => broken)).toEqual(seen.map(({ logE }) => logE >= level))
    expect(seen.some(({ logE }) => logE > Math.log(1000) && logE < level)).toBe(true)
    expect(seen.at(-1)?.broken).toBe(true)
  })
})
