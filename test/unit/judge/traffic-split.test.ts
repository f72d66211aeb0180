import { describe, expect, it } from 'vitest'
import type { BlockCell, UserBuckets } from '../../../src/domain/block.ts'
import type { Assessment } from '../../../src/domain/verdict.ts'
import { parityLogE } from '../../../src/judge/cohort-parity.ts'
import {
  addSplit,
  createSampleRatioSums,
  sampleRatioLogE,
} from '../../../src/judge/sample-ratio.ts'
import type { SplitRule } from '../../../src/judge/traffic-split.ts'
import { type Random, randomOf } from '../../simulation/random.ts'
import { BLOCK_MS, blockOf, cellOf, DE, EN, metricsOf, START_MS } from './judge-builders.ts'
import { cellsOf, foldBlocks, judgeOf, type Sent } from './traffic-builders.ts'

function readAfter(split: SplitRule, count: number, sent: Sent): Assessment {
  const judge = judgeOf(split)
  foldBlocks(judge, 0, count, cellsOf(sent))
  return judge.assess()
}

describe('the sample ratio', () => {
  it('is right when the canary gets the weight of the step', () => {
    const { split } = readAfter('assigned', 50, [{ stable: 900, canary: 100 }])
    expect(split.planned).toBe(0.1)
    expect(split.observed).toBeCloseTo(0.1, 12)
    expect(split.sampleRatioBroken).toBe(false)
    expect(split.logESampleRatio).toBeLessThan(0)
  })

  it.each([
    { name: 'more', canary: 130 },
    { name: 'less', canary: 75 },
    { name: 'nothing', canary: 0 },
  ])('is broken when the canary gets $name', ({ canary }) => {
    expect(
      readAfter('assigned', 30, [{ stable: 1000 - canary, canary }]).split.sampleRatioBroken,
    ).toBe(canary > 0)
    const judge = judgeOf('assigned')
    foldBlocks(judge, 0, 1, cellsOf([{ stable: 900, canary: 100 }]))
    foldBlocks(judge, 1, 30, cellsOf([{ stable: 1000 - canary, canary }]))
    expect(judge.assess().split.sampleRatioBroken).toBe(true)
  })

  it('counts cancelled requests: they were sent to a version, too', () => {
    const judge = judgeOf('assigned')
    const cells = [
      cellOf('stable', EN, metricsOf(900)),
      cellOf('canary', EN, metricsOf(60, 0, { cancelled: 40 })),
    ]
    foldBlocks(judge, 0, 30, cells)
    expect(judge.assess().split).toMatchObject({ sampleRatioBroken: false, observed: 0.1 })
  })

  it('leaves out the two blocks in which routers apply a decision', () => {
    const judge = judgeOf('assigned')
    foldBlocks(judge, 0, 2, cellsOf([{ stable: 1000, canary: 10 }]))
    expect(judge.assess().split.requests).toBe(0)
    foldBlocks(judge, 2, 1, cellsOf([{ stable: 900, canary: 100 }]))
    expect(judge.assess().split.requests).toBe(1000)
  })

  it('waits for routers that acknowledge, and begins with the first block after', () => {
    const judge = judgeOf('assigned')
    judge.weightsInForce(null)
    foldBlocks(judge, 0, 5, cellsOf([{ stable: 1000, canary: 10 }]))
    expect(judge.assess().split.requests).toBe(0)
    judge.weightsInForce(START_MS + 5 * BLOCK_MS + 1)
    foldBlocks(judge, 5, 3, cellsOf([{ stable: 900, canary: 100 }]))
    expect(judge.assess().split).toMatchObject({ requests: 2000, sampleRatioBroken: false })
  })

  it('starts afresh with each step and its weight, and is not latched', () => {
    const judge = judgeOf('assigned')
    foldBlocks(judge, 0, 30, cellsOf([{ stable: 950, canary: 50 }]))
    expect(judge.assess().split.sampleRatioBroken).toBe(true)
    judge.startStep(1, START_MS + 30 * BLOCK_MS)
    foldBlocks(judge, 30, 10, cellsOf([{ stable: 500, canary: 500 }]))
    expect(judge.assess().split).toMatchObject({ planned: 0.5, sampleRatioBroken: false })

    const slow = judgeOf('assigned')
    foldBlocks(slow, 0, 5, cellsOf([{ stable: 940, canary: 60 }]))
    expect(slow.assess().split.sampleRatioBroken).toBe(true)
    foldBlocks(slow, 5, 60, cellsOf([{ stable: 897, canary: 103 }]))
    expect(slow.assess().split.sampleRatioBroken).toBe(false)
  })

  it('is not asked about where the split is taken as it is', () => {
    const { split } = readAfter('observed', 30, [{ stable: 500, canary: 500 }])
    expect(split).toMatchObject({ planned: null, observed: 0.5, logESampleRatio: 0 })
    expect(readAfter('none', 30, [{ stable: 500, canary: 500 }]).split.requests).toBe(0)
  })

  it('is tempered when users are sent together: chance with users is more than with requests', () => {
    const alarms = { known: 0, unknown: 0 }
    for (let seed = 1; seed <= 20; seed++) {
      const random = randomOf(seed, 'users', 0)
      const judges = { known: judgeOf('assigned'), unknown: judgeOf('assigned') }
      for (let block = 0; block < 60; block++) {
        const cells = cellsOfUsers(random)
        judges.known.fold(blockOf(block, cells))
        judges.unknown.fold(blockOf(block, cells.map(withoutUsers)))
      }
      for (const name of ['known', 'unknown'] as const) {
        if (judges[name].assess().split.sampleRatioBroken) alarms[name]++
      }
    }
    expect(alarms.known).toBe(0)
    expect(alarms.unknown).toBeGreaterThan(10)
  })

  it('says nothing, of cohorts either, while too few users were sent to tell how they go together', () => {
    const readAfterOne = (known: boolean) => {
      const judge = judgeOf('assigned')
      const cells = [...armsOfOneUser(EN, 5000, 900), ...armsOfOneUser(DE, 5000, 20)]
      judge.fold(blockOf(2, known ? cells : cells.map(withoutUsers)))
      return judge.assess().split
    }
    expect(readAfterOne(true)).toMatchObject({
      ...{ requests: 10_920, logESampleRatio: 0, sampleRatioBroken: false },
      ...{ logEParity: 0, parityBroken: false },
    })
    expect(readAfterOne(false)).toMatchObject({ parityBroken: true })
    expect(readAfterOne(false).logESampleRatio).not.toBe(0)
  })
})

/** All requests of each version are of one user. */
function armsOfOneUser(cohort: typeof EN, stable: number, canary: number): BlockCell[] {
  return cellsOf([{ stable, canary, cohort }]).map(({ arm, metrics }) =>
    cellOf(arm, cohort, { ...metrics, users: bucketsOf(new Map([[7, metrics.requests]])) }),
  )
}

/** Ten users of 100 requests each; one of ten users, by chance, goes to the canary with all of them. */
function cellsOfUsers(random: Random): BlockCell[] {
  const requests = { stable: new Map<number, number>(), canary: new Map<number, number>() }
  for (let user = 0; user < 10; user++) {
    const into = requests[random.next() < 0.1 ? 'canary' : 'stable']
    const bucket = Math.floor(64 * random.next())
    into.set(bucket, (into.get(bucket) ?? 0) + 100)
  }
  return (['stable', 'canary'] as const).flatMap((arm) => {
    const users = bucketsOf(requests[arm])
    const total = users.requests.reduce((sum, count) => sum + count, 0)
    return total === 0 ? [] : [cellOf(arm, EN, metricsOf(total, 0, { users }))]
  })
}

/** Users of whom nothing but their requests by bucket is told. */
function bucketsOf(requests: ReadonlyMap<number, number>): UserBuckets {
  const users = [...requests].sort(([a], [b]) => a - b)
  const counts = users.map(([, count]) => count)
  const none = users.map(() => 0)
  return {
    ...{ buckets: users.map(([bucket]) => bucket), requests: counts, errors: none },
    ...{ latencies: counts, overLimit: [none], overSlowBin: [] },
    ...{ qualityN: none, qualitySum: none, kpiN: [], kpiSum: [] },
  }
}

function withoutUsers({ arm, cohort, metrics }: BlockCell): BlockCell {
  const { users: _, ...rest } = metrics
  return { arm, cohort, metrics: rest }
}

describe('cohort parity', () => {
  const ALIKE: Sent = [
    { stable: 450, canary: 50 },
    { stable: 450, canary: 50, cohort: DE },
  ]
  const APART: Sent = [
    { stable: 430, canary: 70 },
    { stable: 470, canary: 30, cohort: DE },
  ]

  it.each(['assigned', 'observed'] as const)(
    'holds when cohorts get the same share (%s)',
    (rule) => {
      const { split } = readAfter(rule, 50, ALIKE)
      expect(split.distance).toBe(0)
      expect(split.parityBroken).toBe(false)
      expect(split.logEParity).toBeLessThan(0)
    },
  )

  it.each(['assigned', 'observed'] as const)(
    'is broken when one cohort gets more and another less (%s), with the sample ratio right',
    (rule) => {
      const { split } = readAfter(rule, 50, APART)
      expect(split.sampleRatioBroken).toBe(false)
      expect(split.parityBroken).toBe(true)
      expect(split.distance).toBeCloseTo(0.222, 3)
      expect(split.cohort?.share).toSatisfy((share: number) => share === 0.14 || share === 0.06)
    },
  )

  it('is told with the cohort that has most evidence of its own, wherever it comes', () => {
    const [own, other]: Sent = [
      { stable: 800, canary: 200, cohort: DE },
      { stable: 905, canary: 95 },
    ]
    for (const sent of [
      [own!, other!],
      [other!, own!],
    ]) {
      const { split } = readAfter('assigned', 20, sent)
      expect(split.cohort).toEqual({ cohort: DE, share: 0.2 })
    }
  })

  it('is scored against the share of each block where nobody says what is planned', () => {
    const { split } = readAfter('observed', 1, APART)
    const evidenceOf = (canary: number) => {
      const sums = createSampleRatioSums()
      addSplit(sums, 500, canary, 0.1, 999 / 1000)
      return sampleRatioLogE(sums, 1)
    }
    expect(split.logEParity).toBeCloseTo(parityLogE([70, 30].map(evidenceOf)), 10)
    expect(split).toMatchObject({ planned: null, observed: 0.1, logESampleRatio: 0 })
  })

  it('is scored against the planned share where there is one', () => {
    const judge = judgeOf('assigned')
    foldBlocks(judge, 2, 1, cellsOf(APART))
    const evidenceOf = (requests: number, canary: number) => {
      const sums = createSampleRatioSums()
      addSplit(sums, requests, canary, 0.1)
      return sampleRatioLogE(sums, 1)
    }
    const { split } = judge.assess()
    expect(split.logEParity).toBeCloseTo(
      parityLogE([70, 30].map((canary) => evidenceOf(500, canary))),
      10,
    )
    expect(split.logESampleRatio).toBeCloseTo(evidenceOf(1000, 100), 10)
  })

  it('has no evidence from a block without requests, or with a share of nothing or all', () => {
    const [none, zero, one] = [createSampleRatioSums(), ...[0, 1].map(createSampleRatioSums)]
    addSplit(none, 0, 0, 0.5)
    addSplit(zero!, 100, 50, 0)
    addSplit(one!, 100, 50, 1)
    for (const sums of [none, zero!, one!]) expect(sums).toEqual(createSampleRatioSums())
  })

  it('is not called broken for a difference that is too small to matter', () => {
    const { split } = readAfter('observed', 800, [
      { stable: 45_000, canary: 5080 },
      { stable: 45_000, canary: 4920, cohort: DE },
    ])
    expect(split.logEParity).toBeGreaterThan(Math.log(1000))
    expect(split.distance).toBeLessThan(0.02)
    expect(split.parityBroken).toBe(false)
  })

  it('says nothing of a cohort that is named without a request', () => {
    const empty = { stable: 0, canary: 0, cohort: DE }
    const { split } = readAfter('assigned', 3, [{ stable: 900, canary: 100 }, empty])
    expect(split).toMatchObject({ cohort: { cohort: EN, share: 0.1 }, logEParity: 0 })
  })

  it('says nothing with one cohort only', () => {
    expect(readAfter('assigned', 30, [{ stable: 500, canary: 500 }]).split).toMatchObject({
      logEParity: 0,
      parityBroken: false,
    })
  })

  it('is the same whatever the cohorts are called', () => {
    const renamed = APART.map((sent) => ({ ...sent, cohort: sent.cohort === DE ? EN : DE }))
    const [a, b] = [readAfter('assigned', 20, APART), readAfter('assigned', 20, renamed)]
    expect(b.split.logEParity).toBeCloseTo(a.split.logEParity, 9)
  })
})
