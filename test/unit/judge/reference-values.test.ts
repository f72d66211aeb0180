// The values were computed independently of this code, with mpmath (40 digits), scipy and quadrature.
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { logEMeanAbove, logEMeanBelow } from '../../../src/judge/bounded-mean.ts'
import { addCountsOf, createClusterSums, designEffectOf } from '../../../src/judge/cluster-sums.ts'
import { conditionalIncrements, swapArms } from '../../../src/judge/conditional.ts'
import { GRID_SIZE, mixtureLogE, TILT_GRID } from '../../../src/judge/grid.ts'
import { conditionalGrowth, requestsUntil } from '../../../src/judge/growth.ts'
import { logSumExp } from '../../../src/judge/log-space.ts'
import { discoveries, leadingEvidence, logWeightedAverage } from '../../../src/judge/merging.ts'
import {
  addDifference,
  differenceLogE,
  differenceRadius,
  emptySums,
  robustVariance,
} from '../../../src/judge/paired.ts'
import {
  logEAbove,
  logEBelow,
  proportionInterval,
  proportionLimit,
} from '../../../src/judge/proportion.ts'
import {
  addSplit,
  createSampleRatioSums,
  sampleRatioLogE,
} from '../../../src/judge/sample-ratio.ts'
import { combineGroups } from '../../../src/judge/standardise.ts'
import { mixDistance } from '../../../src/judge/traffic-split.ts'

interface Entry {
  readonly id: string
  readonly input: Record<string, unknown>
  readonly output: unknown
  readonly rel_tol: number
}

const FILE = new URL('../../fixtures/statistics-values.json', import.meta.url)
const entries = JSON.parse(readFileSync(FILE, 'utf8')) as Entry[]
const covered = new Set<string>()

/** All entries whose id starts with one of the prefixes; they count as covered. */
function entriesOf<I, O>(
  ...prefixes: string[]
): { id: string; input: I; output: O; tol: number }[] {
  const found = entries.filter(({ id }) => prefixes.some((prefix) => id.startsWith(prefix)))
  for (const { id } of found) covered.add(id)
  return found.map((entry) => ({
    id: entry.id,
    input: entry.input as I,
    output: entry.output as O,
    tol: entry.rel_tol,
  }))
}

function expectClose(actual: number, expected: number, tolerance: number): void {
  const allowed = tolerance * Math.max(Math.abs(expected), 1e-12)
  expect(Math.abs(actual - expected), `${actual} instead of ${expected}`).toBeLessThanOrEqual(
    allowed,
  )
}

/** Covered up to 1e-12 absolute where the value is 0. */
function expectEvidence(actual: number, expected: number, tolerance: number): void {
  if (expected === 0) expect(Math.abs(actual)).toBeLessThanOrEqual(1e-12)
  else expectClose(actual, expected, tolerance)
}

/** Where a function with one minimum between two points has it, by golden section. */
function minimum(from: number, to: number, f: (x: number) => number): number {
  const golden = (Math.sqrt(5) - 1) / 2
  let [low, high] = [from, to]
  for (let i = 0; i < 80; i++) {
    const left = high - golden * (high - low)
    const right = low + golden * (high - low)
    if (f(left) <= f(right)) high = right
    else low = left
  }
  return (low + high) / 2
}

interface BothSides {
  logE_gt: number
  logE_lt: number
}

describe('the mixture grid', () => {
  const [grid] = entriesOf<object, { d: number[]; w: number[] }>('grid.tilt')

  it('has the published steps and weights', () => {
    expect(TILT_GRID.steps).toHaveLength(16)
    for (let j = 0; j < GRID_SIZE; j++) {
      expectClose(TILT_GRID.steps[j]!, grid!.output.d[j]!, grid!.tol)
      expectClose(Math.exp(TILT_GRID.logWeights[j]!), grid!.output.w[j]!, grid!.tol)
    }
  })
})

describe('T1, one-arm proportion', () => {
  const intervals = entriesOf<
    { n: number; S: number; alpha: number },
    { lower: number; upper: number }
  >('bern.cs.')
  const tests = entriesOf<{ n: number; S: number; p0: number }, BothSides>('bern.').filter(
    ({ id }) => !id.startsWith('bern.cs.'),
  )

  it.each(tests)('$id: evidence on both sides', ({ input, output, tol }) => {
    const limit = proportionLimit(input.p0)
    expectEvidence(logEAbove(limit, input.n, input.S), output.logE_gt, tol)
    expectEvidence(logEBelow(limit, input.n, input.S), output.logE_lt, tol)
  })

  it.each(intervals)('$id: confidence sequence', ({ input, output, tol }) => {
    const { lower, upper } = proportionInterval(input.n, input.S, input.alpha)
    expectEvidence(lower, output.lower, tol)
    expectEvidence(upper, output.upper, tol)
  })
})

describe('T2, conditional on block totals', () => {
  const blocks = entriesOf<
    { blocks: [number, number, number, number][]; omega0: number },
    BothSides
  >('cond.blocks.')
  const single = entriesOf<{ n_c: number; n_b: number; s_c: number; k: number }, number[]>(
    'cond.',
  ).filter(({ id }) => !id.startsWith('cond.blocks.'))

  it.each(single)('$id: increments at d_0, d_5, d_10, d_15', ({ input, output, tol }) => {
    const increments = new Float64Array(GRID_SIZE)
    const counts = {
      canary: input.n_c,
      stable: input.n_b,
      canaryBad: input.s_c,
      stableBad: input.k - input.s_c,
    }
    conditionalIncrements(counts, 0, increments)
    for (const [i, j] of [0, 5, 10, 15].entries()) {
      expectEvidence(increments[j]!, output[i]!, tol)
    }
  })

  it.each(blocks)('$id: evidence over blocks on both sides', ({ input, output, tol }) => {
    const worse = new Float64Array(GRID_SIZE)
    const better = new Float64Array(GRID_SIZE)
    const increments = new Float64Array(GRID_SIZE)
    const add = (into: Float64Array) => {
      for (let j = 0; j < GRID_SIZE; j++) into[j]! += increments[j]!
    }
    for (const [canary, stable, canaryBad, k] of input.blocks) {
      const counts = { canary, stable, canaryBad, stableBad: k - canaryBad }
      conditionalIncrements(counts, Math.log(input.omega0), increments)
      add(worse)
      conditionalIncrements(swapArms(counts), -Math.log(input.omega0), increments)
      add(better)
    }
    expectClose(mixtureLogE(TILT_GRID, worse), output.logE_gt, tol)
    expectClose(mixtureLogE(TILT_GRID, better), output.logE_lt, tol)
  })
})

describe('T3, differences', () => {
  const radii = entriesOf<{ V: number; alpha: number; tau: number }, number>('norm.radius.')
  const tuned = entriesOf<{ alpha: number }, { exact: number; approx: number }>('norm.tune.')
  const tests = entriesOf<{ theta_hat: number; V: number; margin: number; tau: number }, number>(
    'norm.',
  ).filter(({ id }) => !id.startsWith('norm.radius.') && !id.startsWith('norm.tune.'))
  const [cmh] = entriesOf<object, { h: number[]; theta: number; V_rob: number }>('cmh.3')
  const [std] = entriesOf<
    Record<'pi' | 'n_c' | 'n_b' | 'mean_c' | 'mean_b' | 'var_c' | 'var_b', number[]>,
    { theta: number; V: number; tvd: number }
  >('std.3')

  it.each(tests)('$id: evidence', ({ input, output, tol }) => {
    expectClose(differenceLogE(input.theta_hat - input.margin, input.V, input.tau), output, tol)
  })

  it.each(radii)('$id: half width', ({ input, output, tol }) => {
    expectClose(differenceRadius(input.V, input.alpha, input.tau), output, tol)
  })

  it.each(tuned)(
    '$id: the interval is narrowest at the tuned prior scale',
    ({ input: { alpha }, output, tol }) => {
      // In units of the variance the information is 1, so τ² is what 1/ρ² is to the tuned sample size.
      const narrowest = minimum(1, 100, (information) =>
        differenceRadius(1, alpha, Math.sqrt(information)),
      )
      expectClose(narrowest, output.exact, 1e-6)
      // Nothing in the judge uses the approximation; it is written out here.
      const twice = 2 * Math.log(1 / alpha)
      expectClose(twice + Math.log1p(twice), output.approx, tol)
    },
  )

  it('cmh.3: block weights, paired difference and robust variance', () => {
    const blocks = [
      [10, 990, 0.3, 0.25],
      [50, 950, 0.28, 0.26],
      [250, 750, 0.27, 0.25],
    ] as const
    const sums = emptySums()
    const weights = blocks.map(([c, b, meanC, meanB]) => {
      const h = (c * b) / (c + b)
      addDifference(sums, h, meanC - meanB)
      return h
    })
    expect(weights).toEqual(cmh!.output.h)
    expectClose(sums.excess / sums.h, cmh!.output.theta, cmh!.tol)
    expectClose(robustVariance(sums), cmh!.output.V_rob, cmh!.tol)
  })

  it('std.3: standardised difference and variance', () => {
    const { pi, n_c, n_b, mean_c, mean_b, var_c, var_b } = std!.input
    const groups = pi.map((share, g) => {
      const h = (n_c[g]! * n_b[g]!) / (n_c[g]! + n_b[g]!)
      const sums = emptySums()
      addDifference(sums, h, mean_c[g]! - mean_b[g]!)
      sums.base = h * h * (var_c[g]! / n_c[g]! + var_b[g]! / n_b[g]!)
      return { share, sums }
    })
    const combined = combineGroups(groups, 'mean', 1)
    expectClose(combined!.excess, std!.output.theta, std!.tol)
    expectClose(combined!.variance, std!.output.V, std!.tol)
    const cells = n_c.map((canary, g) => ({ canary, stable: n_b[g]! }))
    expectClose(mixDistance(cells), std!.output.tvd, std!.tol)
  })
})

describe('T4, bounded mean', () => {
  const tests = entriesOf<{ n: number; sx: number; sxx: number; m: number }, BothSides>('eb.')

  it.each(tests)('$id: evidence on both sides', ({ input, output, tol }) => {
    const moments = { n: input.n, sum: input.sx, sumSquares: input.sxx }
    expectClose(logEMeanAbove(moments, input.m), output.logE_gt, tol)
    expectClose(logEMeanBelow(moments, input.m), output.logE_lt, tol)
  })
})

describe('merging', () => {
  const [merge] = entriesOf<
    { E: number[]; w: number[]; alpha: number },
    { avg: number; maxwE: number; ebh: number[] }
  >('emerge')

  it('emerge: weighted average, largest weighted evidence and the e-BH set', () => {
    const { E, w, alpha } = merge!.input
    const evidence = E.map((e, k) => ({ logWeight: Math.log(w[k]!), logE: Math.log(e) }))
    expectClose(Math.exp(logWeightedAverage(evidence)), merge!.output.avg, merge!.tol)
    const leading = evidence[leadingEvidence(evidence)]!
    expectClose(Math.exp(leading.logWeight + leading.logE), merge!.output.maxwE, merge!.tol)
    expect(discoveries(E.map(Math.log), alpha)).toEqual(merge!.output.ebh)
  })

  it('lists hypotheses of equal evidence in their own order', () => {
    expect(discoveries([5, 9, 5, 9], 0.05)).toEqual([1, 3, 0, 2])
  })
})

describe('procedures the judge is measured against', () => {
  const [product] = entriesOf<
    Record<'edges' | 'baseline' | 'canary', number[]>,
    { per_edge: number[]; logE: number }
  >('q95.prodinf')
  const [band] = entriesOf<{ alpha: number; A: number }, { C: number; radius: number }>('dkw.C')

  it('q95.prodinf: T1 terms of both arms, multiplied at every edge', () => {
    const { edges, baseline, canary } = product!.input
    const p95 = proportionLimit(0.05)
    const above = (counts: number[], edge: number) =>
      counts.slice(edge + 1).reduce((sum, count) => sum + count, 0)
    // The canary's factor is the judge's T1. The baseline's is made of the same terms, with steps of
    // 0.004 … 1.0 and equal weights, which the judge has no use for.
    const steps = Array.from({ length: 12 }, (_, j) => 0.004 * 250 ** (j / 11))
    const baselineLogE = (n: number, bad: number) =>
      logSumExp(steps.map((d) => -d * bad - n * Math.log1p(p95.p0 * Math.expm1(-d)))) -
      Math.log(steps.length)
    const perEdge = edges.map(
      (_, edge) =>
        baselineLogE(above(baseline, -1), above(baseline, edge)) +
        logEAbove(p95, above(canary, -1), above(canary, edge)),
    )
    for (const [edge, logE] of perEdge.entries()) {
      expectClose(logE, product!.output.per_edge[edge]!, product!.tol)
    }
    expectClose(Math.min(...perEdge), product!.output.logE, product!.tol)
  })

  it('dkw.C: the band around a whole distribution, written out as the judge has none', () => {
    const { alpha, A } = band!.input
    /** Bound on the error probability of A·√((ln ln(e·t/m) + C)/t), best over η. */
    const errorOf = (c: number) => {
      const at = (eta: number) => {
        const gamma = (2 / eta) * (A - Math.sqrt((2 * (eta - 1)) / c)) ** 2
        const valid = gamma > 1 && A > Math.sqrt((2 * (eta - 1)) / c)
        return valid ? 4 * Math.exp(-gamma * c) * (1 + 1 / ((gamma - 1) * Math.log(eta))) : 1
      }
      return at(minimum(1 + 1e-6, 1.2, at))
    }
    let [low, high] = [5, 20]
    for (let i = 0; i < 60; i++) {
      const middle = (low + high) / 2
      if (errorOf(middle) > alpha) low = middle
      else high = middle
    }
    expectClose(low, band!.output.C, 1e-6)
    const radius = A * Math.sqrt((Math.log(Math.log((Math.E * 10_000) / 100)) + low) / 10_000)
    expectClose(radius, band!.output.radius, 1e-6)
  })
})

describe('planning', () => {
  const cases = entriesOf<
    { p_c: number; p_b: number; share: number; omega0: number; alpha: number },
    { g: number; N_mean: number; N_p90: number }
  >('plan.')

  it.each(cases)('$id: growth and requests until known', ({ input, output, tol }) => {
    const { share, p_c, p_b, omega0, alpha } = input
    const growth = conditionalGrowth(share, p_c, p_b, omega0)
    expectClose(growth, output.g, tol)
    const hitting = requestsUntil(Math.log(1 / alpha), growth)
    expectClose(hitting?.mean ?? 0, output.N_mean, tol)
    expectClose(hitting?.p90 ?? 0, output.N_p90, tol)
  })
})

describe('T5', () => {
  const [ramp] = entriesOf<{ phases: [n: number, canary: number, share: number][] }, number>(
    'srm.ramp',
  )
  const dirichlet = entriesOf<{ counts: number[]; pi: number[]; kappa: number }, { logE: number }>(
    'srm.dm',
  )

  it('srm.ramp: every phase against its own share', () => {
    const sums = createSampleRatioSums()
    for (const [n, canary, share] of ramp!.input.phases) addSplit(sums, n, canary, share)
    expectClose(sampleRatioLogE(sums, 1), ramp!.output, ramp!.tol)
  })

  it.each(dirichlet)(
    '$id: the Bayes factor of a fixed share, written out as the judge has none',
    ({ input, output, tol }) => {
      const { counts, pi, kappa } = input
      // Γ(a + n)/Γ(a) as a product: prior and counts are not large.
      const logRisingFactorial = (a: number, n: number) => {
        let sum = 0
        for (let i = 0; i < n; i++) sum += Math.log(a + i)
        return sum
      }
      const total = counts.reduce((sum, n) => sum + n, 0)
      const parts = counts.map(
        (n, v) => logRisingFactorial(kappa * pi[v]!, n) - n * Math.log(pi[v]!),
      )
      const logE = parts.reduce((sum, part) => sum + part, 0) - logRisingFactorial(kappa, total)
      expectClose(logE, output.logE, tol)
    },
  )
})

describe('design effect', () => {
  const [ratio] = entriesOf<{ n: number[]; S: number[] }, number>('deff')

  it('deff: the estimator of a ratio from buckets; the judge’s is unbiased where it is not', () => {
    const { n, S } = ratio!.input
    const total = n.reduce((sum, size) => sum + size, 0)
    const p = S.reduce((sum, bad) => sum + bad, 0) / total
    const squares = n.reduce((sum, size, b) => sum + (S[b]! - p * size) ** 2, 0)
    const k = n.length
    expectClose(((k / (k - 1)) * squares) / (total * p * (1 - p)), ratio!.output, ratio!.tol)

    // The same squares, over what they are on average when users do not differ: no k/(k − 1), which
    // holds for buckets of equal size only, but their very sizes.
    const sums = createClusterSums()
    addCountsOf(sums, [0, 1, 2, 3], n, S)
    sums.seen = Number.POSITIVE_INFINITY
    const sizes = n.reduce((sum, size) => sum + size * size, 0)
    const expected = ((p * (1 - p) * total) / (total - 1)) * (total - sizes / total)
    expectClose(designEffectOf(sums) ?? 0, squares / expected, 1e-9)
    expectClose(designEffectOf(sums) ?? 0, ratio!.output, 0.02)
  })
})

describe('the file of reference values', () => {
  it('has no value that is not checked here', () => {
    expect(entries.map(({ id }) => id).filter((id) => !covered.has(id))).toEqual([])
  })
})
