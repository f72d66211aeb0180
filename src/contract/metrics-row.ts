import type { Moments } from '../domain/block.ts'
import { deviceOfWord } from './event-words.ts'
import { canonicalLocale, UNDETERMINED } from './locale-tag.ts'
import { readLatencies, type WindowLatency } from './metrics-latency.ts'
import { amountFrom, momentsOf, readCount } from './metrics-number.ts'
import { printable } from './rejection-text.ts'
import {
  describeNode,
  type MapReader,
  type ProblemLog,
  pathOf,
  type Read,
  readMap,
} from './source-reader.ts'
import { KPI_NAME } from './stored-text.ts'
import type { Place } from './yaml-source.ts'

const KEYS = [
  'version',
  'locale',
  'device',
  'requests',
  'errors',
  'error_rate',
  'latency_ms',
  'quality',
  'kpi',
]
const MAX_KPIS = 64
const LONGEST_WORD = 256

/** What one version did in one cohort in the window. */
export interface MetricsRow {
  readonly version: string
  /** Canonical, as those of request events. */
  readonly cohort: { readonly locale: string; readonly device: string }
  /** Not cancelled ones; null in a file of points only. */
  readonly requests: number | null
  /** Of `requests`; null when unknown. */
  readonly errors: number | null
  /** An error rate without counts. */
  readonly errorRate: number | null
  readonly latency: WindowLatency | null
  readonly quality: Moments | null
  readonly kpis: ReadonlyMap<string, Moments>
  readonly place: Place
  /** `rows[3]`. */
  readonly field: string
  /** Locale and device words that were not known, as written. */
  readonly replaced: readonly string[]
}

/** `bounds` of the KPIs that the release has limits on. */
export function rowReader(
  bounds: ReadonlyMap<string, readonly [number, number]>,
): Read<MetricsRow> {
  return (node, field, log) => {
    const map = readMap(node, field, KEYS, log)
    if (map === undefined) return undefined
    const version = map.required('version', readVersion, '"1.4.2"')
    const locale = map.optional('locale', null, readWord)
    const device = map.optional('device', null, readWord)
    const requests = map.optional('requests', null, readCount)
    const errors = map.optional('errors', null, readCount)
    const errorRate = map.optional('error_rate', null, amountFrom(0, 1, ': 0.8 % is 0.008'))
    const latency = map.optional('latency_ms', null, readLatencies)
    const quality = map.optional('quality', null, momentsOf([0, 1]))
    const kpis = map.optional<MetricsRow['kpis']>('kpi', new Map(), kpisOf(bounds))
    const row = { requests, errors, errorRate, latency, quality, kpis }
    checkCounts(row, map, field, log)
    if (version === undefined || locale === undefined || device === undefined) return undefined
    if (!isComplete(row)) return undefined
    return { version, ...cohortOf(locale, device), ...row, place: node.place, field }
  }
}

type Counted = Pick<
  MetricsRow,
  'requests' | 'errors' | 'errorRate' | 'latency' | 'quality' | 'kpis'
>
type Loose<T> = { readonly [K in keyof T]: T[K] | undefined }

function isComplete(row: Loose<Counted>): row is Counted {
  return Object.values(row).every((part) => part !== undefined)
}

/** What is wrong between the numbers of a row. */
function checkCounts(
  { requests, errors, errorRate, latency, quality, kpis }: Loose<Counted>,
  map: MapReader,
  field: string,
  log: ProblemLog,
): void {
  if (errors != null && errorRate != null) {
    const message = 'stands beside errors, which tell more; leave it out'
    log.add(map.placeOf('error_rate'), pathOf(field, 'error_rate'), message)
  }
  const parts: [path: string, count: number, place: Place][] = []
  if (errors != null) parts.push(['errors', errors, map.placeOf('errors')])
  if (latency?.kind === 'histogram') {
    parts.push(['latency_ms.le.+Inf', latency.total, latency.totalPlace])
  }
  if (quality != null) parts.push(['quality.n', quality.n, map.placeOf('quality')])
  for (const [name, { n }] of kpis ?? []) {
    parts.push([`kpi.${name}.n`, n, map.placeOf('kpi')])
  }
  const [first] = parts
  if (requests === null && first !== undefined) {
    const message = `is missing beside ${first[0]}; write for example requests: 27000`
    log.add(map.place, pathOf(field, 'requests'), message)
  }
  if (requests == null) return
  for (const [path, count, place] of parts) {
    if (count <= requests) continue
    const message = `is ${count}, more than the ${requests} requests of the row`
    log.add(place, pathOf(field, path), message)
  }
}

const readVersion: Read<string> = (node, field, log) => {
  const isText = node.kind === 'scalar' && node.quoted
  if (isText && node.text !== '' && node.text.length <= LONGEST_WORD) return node.text
  const hint = node.kind === 'scalar' && !node.quoted ? `, such as "${printable(node.text)}"` : ''
  const message = `is ${describeNode(node)}; expected a version in quotes${hint}, at most ${LONGEST_WORD} characters`
  return log.add(node.place, field, message)
}

const readWord: Read<string> = (node, field, log) => {
  if (node.kind === 'scalar' && node.quoted) return node.text
  return log.add(node.place, field, `is ${describeNode(node)}; expected a word in quotes`)
}

/** As request events: missing is `und` and `unknown`, not known is `und` and `other`. */
function cohortOf(
  locale: string | null,
  device: string | null,
): Pick<MetricsRow, 'cohort' | 'replaced'> {
  const tag = locale === null ? UNDETERMINED : canonicalLocale(locale)
  const kind = device === null ? 'unknown' : deviceOfWord(device)
  return {
    cohort: { locale: tag ?? UNDETERMINED, device: kind ?? 'other' },
    replaced: [...(tag === null ? [locale ?? ''] : []), ...(kind === null ? [device ?? ''] : [])],
  }
}

function kpisOf(
  bounds: ReadonlyMap<string, readonly [number, number]>,
): Read<ReadonlyMap<string, Moments>> {
  return (node, field, log) => {
    if (node.kind !== 'map') {
      const message = `is ${describeNode(node)}; expected a map from the name of a KPI to {"n", "sum", "sum_sq"}`
      return log.add(node.place, field, message)
    }
    if (node.entries.length > MAX_KPIS) {
      return log.add(node.place, field, `has ${node.entries.length} names; at most ${MAX_KPIS}`)
    }
    const kpis = new Map<string, Moments>()
    for (const { key, keyPlace, value } of node.entries) {
      const path = pathOf(field, printable(key))
      if (!KPI_NAME.test(key)) {
        log.add(keyPlace, path, 'is no name; allowed are 1 to 64 of A-Z a-z 0-9 _ . -')
      } else if (kpis.has(key)) {
        log.add(keyPlace, path, 'is written twice; keep one')
      } else {
        const moments = momentsOf(bounds.get(key) ?? null)(value, path, log)
        if (moments !== undefined) kpis.set(key, moments)
      }
    }
    return kpis
  }
}
