/** How a group of quantities lies in a row of numbers. */
export interface Shape<Values> {
  readonly width: number
  add(row: Float64Array, values: Readonly<Values>): void
  read(row: Float64Array): Values
}

/** Running sums of some quantities, per unit. */
export interface UnitSums<Values> {
  add(unit: number, values: Readonly<Values>): void
  /** What came since a snapshot (null: since the start); zeros for a unit without any. */
  of(unit: number, since?: UnitSnapshot | null): Values
  snapshot(): UnitSnapshot
  clear(): void
}

/** The sums of all units one after the other; a unit beyond its end had none. */
export type UnitSnapshot = Float64Array

/** `shape`: how many numbers a unit has, and how they are added to and read. */
export function createUnitSums<Values>(shape: Shape<Values>): UnitSums<Values> {
  const { width } = shape
  const sums: Float64Array[] = []
  const nothing = new Float64Array(width)
  const difference = new Float64Array(width)
  return {
    add(unit, values) {
      shape.add(rowOf(sums, unit, width), values)
    },
    of(unit, since = null) {
      const own = sums[unit] ?? nothing
      const at = unit * width
      if (since === null || at >= since.length) return shape.read(own)
      for (let i = 0; i < width; i++) difference[i] = (own[i] as number) - (since[at + i] as number)
      return shape.read(difference)
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
