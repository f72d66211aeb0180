import fc from 'fast-check'
import { readMetricsFile } from '../../../src/contract/metrics-file.ts'
import { formatProblem } from '../../../src/contract/release-file.ts'
import type { ReleaseSpec } from '../../../src/domain/release.ts'

type Json = Record<string, unknown>

/** A row of 27,000 requests, all of it well. */
export function sampleRow(version: string, change: Json = {}): Json {
  return {
    version,
    locale: 'en-US',
    device: 'mobile',
    requests: 27_000,
    errors: 120,
    latency_ms: {
      le: { '50': 13_000, '100': 25_800, '120': 26_300, '200': 26_830, '+Inf': 26_880 },
    },
    quality: { n: 27_000, sum: 23_220, sum_sq: 20_358 },
    kpi: { conversion: { n: 27_000, sum: 810, sum_sq: 810 } },
    ...change,
  }
}

export function sampleFile(stable: Json = {}, canary: Json = {}, whole: Json = {}): Json {
  return {
    window: { start: '2026-11-23T10:00:00Z', end: '2026-11-23T11:00:00Z' },
    rows: [sampleRow('1.0.0', stable), sampleRow('1.1.0', canary)],
    ...whole,
  }
}

/** What is said about a file; nothing when it is good. */
export function problemsOf(content: unknown, spec: ReleaseSpec): string[] {
  const text = typeof content === 'string' ? content : JSON.stringify(content)
  const read = readMetricsFile(new TextEncoder().encode(text), 'm.json', spec)
  return 'file' in read ? [] : read.problems.map(formatProblem)
}

const upTo = (most: number) => fc.integer({ min: 0, max: most })
const size = fc.oneof(upTo(3), upTo(200), upTo(5000), upTo(1_000_000), fc.constant(1e10))

/** Sums of `n` scores: all equal, or of some zeros and ones beside each other. */
function scoresOf(n: number): fc.Arbitrary<Json> {
  return fc
    .record({
      ones: fc.double({ min: 0, max: 1, noNaN: true }),
      value: fc.double({ min: 0, max: 1, noNaN: true }),
    })
    .map(({ ones, value }) => {
      const count = Math.floor(ones * n)
      const rest = n - count
      return { n, sum: count + rest * value, sum_sq: count + rest * value * value }
    })
}

function histogramOf(n: number, edges: readonly string[]): fc.Arbitrary<Json> {
  return fc
    .array(upTo(n), { minLength: edges.length + 1, maxLength: edges.length + 1 })
    .map((counts) => {
      counts.sort((a, b) => a - b)
      const total = counts.at(-1) ?? 0
      return {
        le: Object.fromEntries([
          ...edges.map((edge, i) => [edge, counts[i] ?? 0]),
          ['+Inf', total],
        ]),
      }
    })
}

const anyEdges = fc.subarray(['0.5', '10', '50', '100', '120', '132', '200', '1000'])

function anyRow(version: string, locale: string): fc.Arbitrary<Json> {
  return fc.tuple(size, anyEdges).chain(([requests, edges]) =>
    fc.record(
      {
        version: fc.constant(version),
        locale: fc.constant(locale),
        requests: fc.constant(requests),
        errors: fc.oneof(fc.constant(0), fc.constant(requests), upTo(requests)),
        latency_ms: fc.oneof(
          histogramOf(requests, edges),
          fc.record({ p95: fc.double({ min: 0, max: 1000, noNaN: true }) }),
        ),
        quality: upTo(requests).chain(scoresOf),
        kpi: upTo(requests)
          .chain(scoresOf)
          .map((sales) => ({ sales })),
      },
      { requiredKeys: ['version', 'locale', 'requests'] },
    ),
  )
}

/** Files that a reader takes: few or no requests, all or no errors, equal scores, no data at all. */
export const anyFile: fc.Arbitrary<Json> = fc
  .tuple(
    fc.subarray(['en-US', 'de-DE', 'ja-JP'], { minLength: 1 }),
    fc.subarray(['en-US', 'de-DE', 'ja-JP'], { minLength: 1 }),
    fc.integer({ min: 1, max: 1_000_000_000 }),
  )
  .chain(([stable, canary, lengthMs]) =>
    fc
      .tuple(
        fc.tuple(...stable.map((locale) => anyRow('1.0.0', locale))),
        fc.tuple(...canary.map((locale) => anyRow('1.1.0', locale))),
      )
      .map(([first, second]) => ({
        window: {
          start: '2026-11-23T10:00:00Z',
          end: new Date(Date.UTC(2026, 10, 23, 10) + lengthMs).toISOString(),
        },
        rows: [...first, ...second],
      })),
  )
