import type { Cohort, CohortDimension, CohortRef } from '../domain/cohort.ts'
import { cohortKey, covers, languageOf, OVERALL } from '../domain/cohort.ts'
import type { ReleaseSpec } from '../domain/release.ts'

/** A cell: one value of every cohort dimension. Strata are cells × blocks. */
export interface Cell {
  readonly index: number
  readonly cohort: Cohort
  readonly key: string
  /** The cell's own unit. */
  readonly unit: number
  /** Overall and the partial key cohorts that cover the cell. */
  readonly memberOf: readonly number[]
  /** All units the cell counts in: its own and `memberOf`. */
  readonly units: readonly number[]
  /** Groups a cell short of data is merged into, from near to far. */
  readonly parents: readonly string[]
  /** Share of the baseline's requests, fixed together with the weights; 0 for later cells. */
  share: number
}

/** What a hypothesis is about: all cohorts, a partial key cohort, or one cell. */
export interface Unit {
  readonly index: number
  readonly kind: 'overall' | 'partial' | 'cell'
  readonly ref: CohortRef
  /** Position among the key cohorts of the release; −1 for others. */
  readonly keyPosition: number
  readonly cells: Cell[]
  /** Without cohort dimensions the only cell is the same as overall and no unit of its own. */
  readonly hidden: boolean
  share: number
}

/** The cohorts of a release as it sees them: cells of traffic, and units that are tested. */
export interface CohortUnits {
  readonly units: readonly Unit[]
  readonly cells: readonly Cell[]
  readonly overall: Unit
  /** The cell of a cohort; a new one is registered. */
  cellOf(cohort: Cohort): Cell
  /** The cell of a cohort, if it was asked for before. */
  known(cohort: Cohort): Cell | undefined
  /** Key and values of the cell a cohort belongs to: only the release's dimensions count. */
  project(cohort: Cohort): Cohort
  /** Fixes every share from the baseline requests per cell. */
  fixShares(requestsOf: (cell: Cell) => number): void
}

const MISSING: Readonly<Record<CohortDimension, string>> = { locale: 'und', device: 'unknown' }

/**
 * Registry of cells and units. Key cohorts of the release exist from the start, so that one without
 * any traffic is still reported (and still required).
 */
export function createCohortUnits(spec: ReleaseSpec['cohorts']): CohortUnits {
  const dimensions = spec.by
  const units: Unit[] = []
  const cells: Cell[] = []
  const byKey = new Map<string, Cell>()
  /** By locale and device as they come: what every cell of every block is looked up by. */
  const byLocale = new Map<string | undefined, Map<string | undefined, Cell>>()
  const keyPositions = new Map<string, number>()

  const addUnit = (
    kind: Unit['kind'],
    ref: CohortRef,
    keyPosition: number,
    hidden = false,
  ): Unit => {
    const unit = { index: units.length, kind, ref, keyPosition, cells: [], hidden, share: 0 }
    units.push(unit)
    return unit
  }
  const project = (cohort: Cohort): Cohort => {
    const values: { locale?: string; device?: string } = {}
    for (const dimension of dimensions) values[dimension] = cohort[dimension] ?? MISSING[dimension]
    return values
  }
  const known = (cohort: Cohort): Cell | undefined =>
    byLocale.get(cohort.locale)?.get(cohort.device)
  const remember = (cohort: Cohort, cell: Cell): Cell => {
    const byDevice = byLocale.get(cohort.locale) ?? new Map<string | undefined, Cell>()
    byLocale.set(cohort.locale, byDevice.set(cohort.device, cell))
    return cell
  }
  const cellOf = (cohort: Cohort): Cell => known(cohort) ?? remember(cohort, register(cohort))
  const register = (cohort: Cohort): Cell => {
    const projected = project(cohort)
    const key = cohortKey(projected)
    const same = byKey.get(key)
    if (same !== undefined) return same
    const groups = units.filter(
      ({ kind, ref }) => kind !== 'cell' && (ref === OVERALL || covers(ref, projected)),
    )
    const hidden = dimensions.length === 0
    const unit = addUnit('cell', projected, keyPositions.get(key) ?? -1, hidden)
    const memberOf = groups.map((group) => group.index)
    const cell: Cell = {
      index: cells.length,
      cohort: projected,
      key,
      unit: unit.index,
      memberOf,
      units: [unit.index, ...memberOf],
      parents: parentsOf(projected),
      share: 0,
    }
    for (const group of [unit, ...groups]) group.cells.push(cell)
    cells.push(cell)
    byKey.set(key, cell)
    return cell
  }

  const overall = addUnit('overall', OVERALL, -1)
  for (const [position, key] of spec.key.entries()) {
    const named = dimensions.filter((dimension) => key[dimension] !== undefined).length
    if (named === dimensions.length && named > 0)
      keyPositions.set(cohortKey(project(key)), position)
    else if (named > 0) addUnit('partial', key, position)
  }
  for (const key of spec.key) {
    if (keyPositions.has(cohortKey(project(key)))) cellOf(key)
  }

  return {
    units,
    cells,
    overall,
    cellOf,
    known,
    project,
    fixShares(requestsOf) {
      const total = cells.reduce((sum, cell) => sum + requestsOf(cell), 0)
      if (total === 0) return
      for (const cell of cells) cell.share = requestsOf(cell) / total
      for (const unit of units) unit.share = unit.cells.reduce((sum, cell) => sum + cell.share, 0)
    },
  }
}

function parentsOf(cohort: Cohort): string[] {
  const device = cohort.device ?? ''
  const language = cohort.locale === undefined ? '' : languageOf(cohort.locale)
  return [`${language}|${device}`, `*|${device}`, '*|*']
}
