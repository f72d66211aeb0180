export type CohortDimension = 'locale' | 'device'

/** Values of the cohort dimensions; a dimension that is missing stands for all its values. */
export interface Cohort {
  readonly locale?: string
  readonly device?: string
}

export const OVERALL = 'overall'

/** Either all cohorts together, or one cohort (full or partial). */
export type CohortRef = typeof OVERALL | Cohort

/** Key of a cohort in maps; two cohorts with equal values have equal keys. `{}` is the empty cohort. */
export function cohortKey(cohort: Cohort): string {
  return `${cohort.locale ?? '*'}|${cohort.device ?? '*'}`
}

/** `de-DE/mobile`, `de-DE`, `mobile` or `overall`: as people read it. */
export function describeCohort(cohort: CohortRef): string {
  if (cohort === OVERALL) return OVERALL
  const parts = [cohort.locale, cohort.device].filter((part) => part !== undefined)
  return parts.length === 0 ? OVERALL : parts.join('/')
}

/** True when every value named by `selector` is the one of `cell`. */
export function covers(selector: Cohort, cell: Cohort): boolean {
  return (
    (selector.locale === undefined || selector.locale === cell.locale) &&
    (selector.device === undefined || selector.device === cell.device)
  )
}

/** Primary language of a BCP 47 tag: `de-DE` → `de`. */
export function languageOf(locale: string): string {
  const dash = locale.indexOf('-')
  return dash < 0 ? locale : locale.slice(0, dash)
}

/** True when the cohort is named, value by value, in a release's list of key cohorts. */
export function isKeyCohort(keys: readonly Cohort[], cohort: CohortRef): boolean {
  return (
    cohort !== OVERALL &&
    keys.some((key) => key.locale === cohort.locale && key.device === cohort.device)
  )
}
