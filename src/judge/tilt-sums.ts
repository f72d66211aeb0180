import { GRID_SIZE, mixtureLogE, TILT_GRID } from './grid.ts'
import { copyOf, rowOf, type UnitSnapshot } from './unit-sums.ts'

/** Running sums Λ_j of the tilt mixture, per unit. */
export interface TiltSums {
  /** The sums of a unit, to be added to. */
  of(unit: number): Float64Array
  snapshot(): TiltSnapshot
  /**
   * ln E since a snapshot (null: since the start), tempered: Λ_j / `designEffect`. Exact when no
   * cluster of requests that go together has more than `designEffect` of them (Hölder).
   */
  logE(unit: number, since: TiltSnapshot | null, designEffect: number): number
}

/** Λ of all units at one moment, 16 numbers each. */
export type TiltSnapshot = UnitSnapshot

const scratch = new Float64Array(GRID_SIZE)

/** By unit index; evidence of Λ by `mixtureLogE` (statistics §2). */
export function createTiltSums(): TiltSums {
  const sums: Float64Array[] = []
  return {
    of: (unit) => rowOf(sums, unit, GRID_SIZE),
    snapshot: () => copyOf(sums, GRID_SIZE),
    logE(unit, since, designEffect) {
      const own = sums[unit]
      if (own === undefined) return 0
      const at = unit * GRID_SIZE
      const before = since !== null && at < since.length ? since : null
      for (let j = 0; j < GRID_SIZE; j++) {
        const earlier = before === null ? 0 : (before[at + j] as number)
        scratch[j] = ((own[j] as number) - earlier) / designEffect
      }
      return mixtureLogE(TILT_GRID, scratch)
    },
  }
}

/** Adds increments to running sums, component by component. */
export function addInto(logs: Float64Array, increments: Float64Array): void {
  for (let j = 0; j < GRID_SIZE; j++) logs[j] = (logs[j] as number) + (increments[j] as number)
}
