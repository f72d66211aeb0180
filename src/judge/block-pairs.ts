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
    cell: stratum.cell,
    canary: stratum.canary,
    stable: stratum.stable,
    errorRate: baseline.rollingRate(stratum.cell),
    quantileBins: baseline.quantileBins(stratum.cell),
  })
  const isComplete = ({ pair, sinceMs }: Open, endMs: number): boolean =>
    !merges ||
    (pair.canary.requests >= FEWEST_CANARY && pair.stable.requests >= FEWEST_STABLE) ||
    endMs - sinceMs >= LONGEST_MS

  return {
    fold(strata, endMs) {
      const complete: Pair[] = []
      for (const stratum of strata) {
        const { cell } = stratum
        const known = open.get(cell)
        const pair = known === undefined ? begun(stratum) : joined(known.pair, stratum)
        const each = { pair, sinceMs: known?.sinceMs ?? endMs - lengthMs }
        if (known === undefined && isComplete(each, endMs)) complete.push(pair)
        else open.set(cell, each)
      }
      for (const each of open.values()) {
        if (!isComplete(each, endMs)) continue
        complete.push(each.pair)
        open.delete(each.pair.cell)
      }
      return inOrder(complete)
    },
    flush() {
      const all = inOrder([...open.values()].map(({ pair }) => pair))
      open.clear()
      return all
    },
  }
}

function joined(pair: Pair, { canary, stable }: Stratum): Pair {
  return {
    cell: pair.cell,
    canary: sumOf(pair.canary, canary),
    stable: sumOf(pair.stable, stable),
    errorRate: pair.errorRate,
    quantileBins: pair.quantileBins,
  }
}

function inOrder(pairs: Pair[]): Pair[] {
  return pairs.sort((a, b) => a.cell.index - b.cell.index)
}
