/** Running sums of some quantities, per unit. */
export interface UnitSums<Name extends string> {
  add(unit: number, values: Readonly<Record<Name, number>>): void
  /** What came since a snapshot (null: since the start); zeros for a unit without any. */
  of(unit: number, since?: UnitSnapshot | null): Record<Name, number>
  snapshot(): UnitSnapshot
  clear(): void
}

export type UnitSnapshot = ReadonlyMap<number, Float64Array>

export function createUnitSums<Name extends string>(names: readonly Name[]): UnitSums<Name> {
  const sums = new Map<number, Float64Array>()
  return {
    add(unit, values) {
      let own = sums.get(unit)
      if (own === undefined) {
        own = new Float64Array(names.length)
        sums.set(unit, own)
      }
      for (let i = 0; i < names.length; i++) {
        own[i] = (own[i] as number) + values[names[i] as Name]
      }
    },
    of(unit, since = null) {
      const own = sums.get(unit)
      const before = since?.get(unit)
      const difference = {} as Record<Name, number>
      for (let i = 0; i < names.length; i++) {
        difference[names[i] as Name] = (own?.[i] ?? 0) - (before?.[i] ?? 0)
      }
      return difference
    },
    snapshot: () => new Map([...sums].map(([unit, own]) => [unit, own.slice()])),
    clear: () => sums.clear(),
  }
}
