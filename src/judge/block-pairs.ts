import type { Baseline } from './baseline.ts'
import { sumOf } from './block-intake.ts'
import type { Cell } from './cohort-units.ts'
import type { Pair, Stratum } from './guardrail-test.ts'

/**
 * Consecutive blocks of a small cohort are added up until there is something to compare. When that is
 * depends on counts of requests and on time alone, never on how the requests ended.
 */
export interface BlockPairs {
  /** The pairs that are complete with this block, in the order of the cells. */
  fold(strata: readonly Stratum[], endMs: number): Pair[]
  /** The pairs as they are; what comes next belongs to others. */
  flush(): Pair[]
}

const FEWEST_CANARY = 1
const FEWEST_STABLE = 9
const LONGEST_MS = 600_000

interface Open {
  readonly pair: Pair
  readonly sinceMs: number
}

/** `merges`: false where a block is all there is. */
export function createBlockPairs(
  baseline: Baseline,
  { merges, lengthMs }: { readonly merges: boolean; readonly lengthMs: number },
): BlockPairs {
  const open = new Map<Cell, Open>()

  const begun = (stratum: Stratum): Pair => ({
    ...stratum,
    errorRate: baseline.rollingRate(stratum.cell),
    quantileBins: baseline.quantileBins(stratum.cell),
  })
  const isComplete = ({ pair, sinceMs }: Open, endMs: number): boolean =>
    !merges ||
    (pair.canary.requests >= FEWEST_CANARY && pair.stable.requests >= FEWEST_STABLE) ||
    endMs - sinceMs >= LONGEST_MS

  return {
    fold(strata, endMs) {
      for (const stratum of strata) {
        const known = open.get(stratum.cell)
        const pair = known === undefined ? begun(stratum) : joined(known.pair, stratum)
        open.set(stratum.cell, { pair, sinceMs: known?.sinceMs ?? endMs - lengthMs })
      }
      const complete = [...open.values()].filter((each) => isComplete(each, endMs))
      for (const { pair } of complete) open.delete(pair.cell)
      return inOrder(complete)
    },
    flush() {
      const all = inOrder([...open.values()])
      open.clear()
      return all
    },
  }
}

function joined(pair: Pair, { canary, stable }: Stratum): Pair {
  return { ...pair, canary: sumOf(pair.canary, canary), stable: sumOf(pair.stable, stable) }
}

function inOrder(pairs: readonly Open[]): Pair[] {
  return pairs.map(({ pair }) => pair).sort((a, b) => a.cell.index - b.cell.index)
}
