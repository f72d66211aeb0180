import { boundedLog, logScaledNormalCdf } from './log-space.ts'

/**
 * Sums over strata s (cell × block) of one comparison. h_s = n_c·n_b/(n_c+n_b) is the information
 * weight of a stratum; D_s is canary − stable turned so that positive is worse; m_s the margin the
 * stratum is tested against. All fields are additive over strata, so groups of cells are sums.
 */
export interface PairedSums {
  /** Σ h, Σ h². */
  h: number
  h2: number
  /** Σ h(D−m), Σ h²(D−m)², Σ h²(D−m). */
  excess: number
  excessSquares: number
  excessCross: number
  /** Σ h·x̄ of each arm: their difference over Σ h is the paired estimate. */
  hStable: number
  hCanary: number
  nStable: number
  nCanary: number
  sumStable: number
  sumCanary: number
  /** Only for means: Σ x² of each arm. */
  squaresStable: number
  squaresCanary: number
  /** Σ h²/n of each arm. */
  loadStable: number
  loadCanary: number
  /**
   * Numerator of the model variance when the canary is worse by t: max(base + t·slope, t·floor);
   * `…AtMargin` hold Σ m_s·(…) for t = m, which may differ from block to block.
   */
  base: number
  slope: number
  slopeAtMargin: number
  floor: number
  floorAtMargin: number
}

/**
 * `rate`: rare bad events, null-restricted variance p/n. `exceedance`: share above thresholds that
 * contain the margin (m = 0), variance of the hypergeometric. `mean`: values in [0, 1].
 */
export type PairedKind = 'rate' | 'exceedance' | 'mean'

/** Of a cell without any pair. */
export function emptySums(): PairedSums {
  return {
    h: 0,
    h2: 0,
    excess: 0,
    excessSquares: 0,
    excessCross: 0,
    hStable: 0,
    hCanary: 0,
    nStable: 0,
    nCanary: 0,
    sumStable: 0,
    sumCanary: 0,
    squaresStable: 0,
    squaresCanary: 0,
    loadStable: 0,
    loadCanary: 0,
    base: 0,
    slope: 0,
    slopeAtMargin: 0,
    floor: 0,
    floorAtMargin: 0,
  }
}

/** Adds sum by sum: cells that are merged are one cell from then on. */
export function addSums(into: PairedSums, other: Readonly<PairedSums>): void {
  into.h += other.h
  into.h2 += other.h2
  into.excess += other.excess
  into.excessSquares += other.excessSquares
  into.excessCross += other.excessCross
  into.hStable += other.hStable
  into.hCanary += other.hCanary
  into.nStable += other.nStable
  into.nCanary += other.nCanary
  into.sumStable += other.sumStable
  into.sumCanary += other.sumCanary
  into.squaresStable += other.squaresStable
  into.squaresCanary += other.squaresCanary
  into.loadStable += other.loadStable
  into.loadCanary += other.loadCanary
  into.base += other.base
  into.slope += other.slope
  into.slopeAtMargin += other.slopeAtMargin
  into.floor += other.floor
  into.floorAtMargin += other.floorAtMargin
}

/** The part of the sums a series of differences needs. */
export type SeriesSums = Pick<PairedSums, 'h' | 'h2' | 'excess' | 'excessSquares' | 'excessCross'>

/** Adds one difference (already reduced by its margin) with information weight `h`. */
export function addDifference(sums: SeriesSums, h: number, excess: number): void {
  sums.h += h
  sums.h2 += h * h
  sums.excess += h * excess
  sums.excessSquares += h * h * excess * excess
  sums.excessCross += h * h * excess
}

/** Part of Σ h²D² below which what is left of it after the mean is only rounding. */
const ROUNDING = 1e-12

/**
 * Σ h²(D − θ̂)²/(Σ h)²: the variance as the blocks show it, whatever makes them differ; exactly 0
 * where they do not differ.
 */
export function robustVariance(sums: SeriesSums): number {
  if (sums.h === 0) return 0
  const mean = sums.excess / sums.h
  const squares = sums.excessSquares - 2 * mean * sums.excessCross + mean * mean * sums.h2
  return squares > ROUNDING * sums.excessSquares ? squares / (sums.h * sums.h) : 0
}

/** The canary's paired mean less the baseline's, as it is: not turned, no margin taken off. */
export function shiftOf(sums: Readonly<PairedSums>): number {
  return sums.h === 0 ? 0 : (sums.hCanary - sums.hStable) / sums.h
}

/** (Σ h)²/Σ h²: how many equally heavy blocks the series is worth. */
export function effectiveBlocks(sums: SeriesSums): number {
  return sums.h2 === 0 ? 0 : (sums.h * sums.h) / sums.h2
}

/** Allowance for a robust variance estimated from few blocks; needs more than one. */
export function smallSampleFactor(blocks: number): number {
  return (blocks + 3) / (blocks - 1)
}

/** Below this share of bad events (1 − p) is close to 1 and left out, which is the safe side. */
const RARE = 0.1

/**
 * Variance of Σ hD/Σ h under the model. `worseBy` = 'margin': under the null at the margin, never
 * p̂(1−p̂)/n, which passes a canary that sits exactly at the margin far too often; a number: when
 * the canary is worse by that much, for intervals.
 */
export function modelVariance(
  sums: Readonly<PairedSums>,
  kind: PairedKind,
  worseBy: 'margin' | number,
): number {
  if (sums.h === 0) return 0
  const numerator =
    worseBy === 'margin'
      ? Math.max(sums.base + sums.slopeAtMargin, sums.floorAtMargin)
      : Math.max(sums.base + worseBy * sums.slope, worseBy * sums.floor)
  const bad = (sums.sumStable + sums.sumCanary) / (sums.nStable + sums.nCanary)
  const factor = kind === 'rate' && bad > RARE ? 1 - bad : 1
  return (factor * Math.max(0, numerator)) / (sums.h * sums.h)
}

/**
 * Variance of Σ hD/Σ h if each arm has the share of bad events that is seen in it: what blocks should
 * show, whatever is tested.
 */
export function blockVariance(sums: Readonly<PairedSums>, kind: PairedKind): number {
  if (sums.h === 0) return 0
  if (kind === 'mean') return modelVariance(sums, kind, 'margin')
  const [stable, canary] = [sums.hStable / sums.h, sums.hCanary / sums.h]
  const numerator =
    stable * (1 - stable) * sums.loadStable + canary * (1 - canary) * sums.loadCanary
  return numerator / (sums.h * sums.h)
}

/**
 * T3: ln E against "θ ≤ margin" for an estimate that lies `excess` beyond the margin and has the
 * given variance: the half-normal N⁺(0, τ²) mixture. For the other direction pass −excess. 0 (no
 * evidence) without a variance: nothing is known, so nothing is decided.
 */
export function differenceLogE(excess: number, variance: number, tau: number): number {
  if (!(variance > 0) || !Number.isFinite(variance)) return 0
  const information = 1 / variance
  const u = 1 + information * tau * tau
  const x = (tau * information * excess) / Math.sqrt(u)
  return boundedLog(Math.LN2 - 0.5 * Math.log(u) + logScaledNormalCdf(x))
}

/** Half width of the two-sided (1−α) confidence sequence of the same mixture family. */
export function differenceRadius(variance: number, alpha: number, tau: number): number {
  const information = 1 / variance
  const prior = 1 / (tau * tau)
  const spread = Math.log1p(information / prior) + 2 * Math.log(1 / alpha)
  return Math.sqrt((information + prior) * spread) / information
}
