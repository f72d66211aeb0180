/** Running sums of some quantities, per unit. */
export interface UnitSums<Name extends string> {
  add(unit: number, values: Readonly<Record<Name, number>>): void
  /** What came since a snapshot (null: since the start); zeros for a unit without any. */
  of(unit: number, since?: UnitSnapshot | null): Record<Name, number>
  snapshot(): UnitSnapshot
  clear(): void
}

/** The sums of all units one after the other; a unit beyond its end had none. */
export type UnitSnapshot = Float64Array

export function createUnitSums<Name extends string>(names: readonly Name[]): UnitSums<Name> {
  const width = names.length
  const sums: Float64Array[] = []
  return {
    add(unit, values) {
      const own = rowOf(sums, unit, width)
      for (let i = 0; i < width; i++) {
        own[i] = (own[i] as number) + values[names[i] as Name]
      }
    },
    of(unit, since = null) {
      const own = sums[unit]
      const difference = {} as Record<Name, number>
      for (let i = 0; i < width; i++) {
        difference[names[i] as Name] = (own?.[i] ?? 0) - (since?.[unit * width + i] ?? 0)
      }
      return difference
    },
    snapshot: () => copyOf(sums, width),
    clear() {
      sums.length = 0
    },
  }
}

/** The row of a unit; those before it are made together with it. */
export function rowOf(rows: Float64Array[], unit: number, width: number): Float64Array {
  while (rows.length <= unit) rows.push(new Float64Array(width))
  return rows[unit] as Float64Array
}

/** All rows, one after the other. */
export function copyOf(rows: readonly Float64Array[], width: number): Float64Array {
  const copy = new Float64Array(rows.length * width)
  for (const [index, row] of rows.entries()) copy.set(row, index * width)
  return copy
}
