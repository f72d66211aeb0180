import type { CellMetrics } from '../domain/block.ts'
import type { ArmValue, Method } from '../domain/verdict.ts'
import type { Cell, Unit } from './cohort-units.ts'

/** What both arms did in one cell during one block; an arm without requests has empty metrics. */
export interface Stratum {
  readonly cell: Cell
  readonly canary: CellMetrics
  readonly stable: CellMetrics
}

/** A stratum both of whose arms have requests, if its cell has enough of them, in one block or more. */
export interface Pair extends Stratum {
  /**
   * What was known of the baseline before the pair's first block: its error rate, and the bin of each
   * rolling quantile. Whatever is made of it is predictable.
   */
  readonly errorRate: number
  readonly quantileBins: readonly (number | null)[]
}

/** What a guardrail's test gets of one closed block. */
export interface JudgedBlock {
  /** As the block is: for tests on the canary alone. */
  readonly strata: readonly Stratum[]
  /** For tests that compare the arms: small cohorts' blocks are added up first. */
  readonly pairs: readonly Pair[]
  /** Whether the block counts for the present step's pass evidence. */
  readonly inStep: boolean
}

/** What a guardrail's test says about one unit at the end of the last folded block. */
export interface Reading {
  readonly method: Method
  readonly stable: ArmValue
  readonly canary: ArmValue
  readonly difference: number | null
  readonly ciLow: number | null
  readonly ciHigh: number | null
  /** canary − stable as it enters a standardised sum: of means, rates or shares above a threshold. */
  readonly shift: number | null
  readonly logEBreach: number
  readonly logEPass: number
  /** Judged blocks that breach evidence comes from. */
  readonly blocks: number
  /** Too little data for the pass test to speak at all. */
  readonly collecting: boolean
  /**
   * How many times the step's present data it takes until pass evidence reaches `logThreshold`, if
   * everything goes on as seen; ≥ 1, null when it never would or nothing is known.
   */
  growthToPass(logThreshold: number): number | null
}

/** One guardrail over all its units. Blocks arrive in order; reading changes nothing. */
export interface GuardrailTest {
  fold(block: JudgedBlock): void
  /** Pass evidence starts afresh. */
  startStep(): void
  /** Breach evidence is counted once more, from here on. */
  restart(): void
  /**
   * `designEffect` ≥ 1: how many times less a request tells than an independent one would, because
   * those of one user go together.
   */
  read(unit: Unit, designEffect: number): Reading
}

/** Intervals in rows are 95 % confidence sequences. */
export const INTERVAL_ALPHA = 0.05

/** Counts, per unit, the blocks in which any of its cells had what a test needs. */
export interface EvidenceBlocks {
  saw(cell: Cell): void
  endBlock(): void
  of(unit: Unit): number
}

/** By unit index; `saw` counts for all units of the cell. */
export function createEvidenceBlocks(): EvidenceBlocks {
  const counts: number[] = []
  /** Per unit the number of the last block it was seen in. */
  const seenIn: number[] = []
  let block = 1
  return {
    saw(cell) {
      for (const unit of cell.units) {
        for (; counts.length <= unit; counts.push(0)) seenIn.push(0)
        if (seenIn[unit] === block) continue
        seenIn[unit] = block
        counts[unit] = (counts[unit] as number) + 1
      }
    },
    endBlock() {
      block++
    },
    of: (unit) => counts[unit.index] ?? 0,
  }
}

/** A value per unit, made when first asked for. */
export interface PerUnit<T> {
  of(unit: number): T
}

/** `make` gets the unit's index, once. */
export function perUnit<T>(make: (unit: number) => T): PerUnit<T> {
  const values: (T | undefined)[] = []
  return {
    of(unit) {
      const known = values[unit]
      if (known !== undefined) return known
      while (values.length <= unit) values.push(undefined)
      const made = make(unit)
      values[unit] = made
      return made
    },
  }
}
