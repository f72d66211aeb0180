import { GRID_SIZE, mixtureLogE, TILT_GRID } from './grid.ts'

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
  clear(): void
}

export type TiltSnapshot = ReadonlyMap<number, Float64Array>

export function createTiltSums(): TiltSums {
  const sums = new Map<number, Float64Array>()
  const scratch = new Float64Array(GRID_SIZE)
  return {
    of(unit) {
      let own = sums.get(unit)
      if (own === undefined) {
        own = new Float64Array(GRID_SIZE)
        sums.set(unit, own)
      }
      return own
    },
    snapshot: () => new Map([...sums].map(([unit, own]) => [unit, own.slice()])),
    logE(unit, since, designEffect) {
      const own = sums.get(unit)
      if (own === undefined) return 0
      const before = since?.get(unit)
      for (let j = 0; j < GRID_SIZE; j++) {
        scratch[j] = ((own[j] as number) - (before?.[j] ?? 0)) / designEffect
      }
      return mixtureLogE(TILT_GRID, scratch)
    },
    clear: () => sums.clear(),
  }
}

/** Adds increments to running sums, component by component. */
export function addInto(logs: Float64Array, increments: Float64Array): void {
  for (let j = 0; j < GRID_SIZE; j++) logs[j] = (logs[j] as number) + (increments[j] as number)
}
