import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readMetricsFile } from '../../../src/contract/metrics-file.ts'
import { KPI_DROP, P95_MAX, specOf } from '../judge/judge-builders.ts'
import { anyFile, problemsOf, sampleFile, sampleRow } from './metrics-samples.ts'

const SPEC = specOf([P95_MAX, KPI_DROP])
const le = (counts: object) => ({ latency_ms: { le: counts } })

describe('a metrics file', () => {
  it('is read with its words made canonical and its numbers as they are', () => {
    const content = sampleFile({ locale: 'en_us', device: 'Mobile' }, { device: 'fridge' })
    const read = readMetricsFile(new TextEncoder().encode(JSON.stringify(content)), 'm', SPEC)
    if (!('file' in read)) throw new Error(JSON.stringify(read.problems))
    expect(read.file.window).toEqual({
      startMs: Date.UTC(2026, 10, 23, 10),
      endMs: Date.UTC(2026, 10, 23, 11),
    })
    expect(read.file.stable).toMatchObject([
      {
        cohort: { locale: 'en-US', device: 'mobile' },
        requests: 27_000,
        errors: 120,
        latency: {
          edgesMs: [50, 100, 120, 200],
          atMost: [13_000, 25_800, 26_300, 26_830],
          total: 26_880,
        },
        quality: { n: 27_000, sum: 23_220, sumSquares: 20_358 },
        replaced: [],
      },
    ])
    expect(read.file.canary).toMatchObject([{ cohort: { device: 'other' }, replaced: ['fridge'] }])
  })

  it('may name its edges in any order: a JSON object has none', () => {
    const counts = { '+Inf': 26_880, '100': 25_800, '2.5': 10, '50': 13_000 }
    expect(problemsOf(sampleFile(le(counts)), SPEC)).toEqual([])
  })

  it('may leave everything out but versions and requests', () => {
    const rows = [
      { version: '1.0.0', requests: 10 },
      { version: '1.1.0', requests: 0 },
    ]
    expect(problemsOf(sampleFile({}, {}, { rows }), SPEC)).toEqual([])
  })

  it('may hold rows of other versions, which are named', () => {
    const rows = [...(sampleFile()['rows'] as object[]), sampleRow('0.9.0')]
    const bytes = new TextEncoder().encode(JSON.stringify(sampleFile({}, {}, { rows })))
    const read = readMetricsFile(bytes, 'm.json', SPEC)
    expect(read).toMatchObject({ file: { otherVersions: ['0.9.0'] } })
  })

  it('may begin with a byte order mark', () => {
    expect(problemsOf(`\ufeff${JSON.stringify(sampleFile())}`, SPEC)).toEqual([])
  })

  it.each([
    ['a negative count', { errors: -5 }, 'rows[1].errors: is -5; expected a whole number from 0'],
    [
      'more errors than requests',
      { errors: 27_001 },
      'rows[1].errors: is 27001, more than the 27000 requests',
    ],
    [
      'part of a request',
      { requests: 26_999.5 },
      'rows[1].requests: is 26999.5; expected a whole number',
    ],
    [
      'too many requests',
      { requests: 1e11 },
      'rows[1].requests: is 100000000000; expected a whole number from 0 to 10000000000',
    ],
    [
      'a number as text',
      { errors: '120' },
      'rows[1].errors: is "120"; expected a whole number from 0 to 10000000000, without quotes',
    ],
    ['a list for a number', { errors: [] }, 'rows[1].errors: is a list; expected a whole number'],
    ['no value', { errors: null }, 'rows[1].errors: has no value'],
    [
      'a version that is a number',
      { version: 1.5 },
      'rows[1].version: is 1.5; expected a version in quotes, such as "1.5"',
    ],
    ['a locale that is a number', { locale: 1 }, 'rows[1].locale: is 1; expected a word in quotes'],
    [
      'an unknown key',
      { request: 5 },
      'rows[1].request: is not a known key; did you mean "requests"? allowed are version, locale',
    ],
    [
      'errors without requests',
      { requests: undefined },
      'rows[1].requests: is missing beside errors',
    ],
    [
      'an error rate beside errors',
      { error_rate: 0.1 },
      'rows[1].error_rate: stands beside errors',
    ],
    [
      'an error rate in percent',
      { errors: undefined, error_rate: 1.5 },
      'rows[1].error_rate: is 1.5; expected a number from 0 to 1: 0.8 % is 0.008',
    ],
    [
      'counts that fall',
      le({ '50': 10, '100': 9, '+Inf': 10 }),
      'rows[1].latency_ms.le.100: is 9, less than the 10 up to 50; the counts are cumulative',
    ],
    ['no +Inf', le({ '50': 10 }), 'rows[1].latency_ms.le.+Inf: is missing; write "+Inf"'],
    [
      'more latencies than requests',
      le({ '+Inf': 27_001 }),
      'rows[1].latency_ms.le.+Inf: is 27001, more than the 27000 requests',
    ],
    [
      'an edge that is no number',
      le({ fast: 1, '+Inf': 2 }),
      'rows[1].latency_ms.le.fast: is no edge; expected a latency in milliseconds',
    ],
    ['an edge of zero', le({ '0': 1, '+Inf': 2 }), 'rows[1].latency_ms.le.0: is no edge'],
    [
      'an edge spelt Inf',
      le({ Inf: 2 }),
      'rows[1].latency_ms.le.Inf: is no edge; did you mean "+Inf"?',
    ],
    [
      'an edge written twice',
      le({ '50': 1, '50.0': 1, '+Inf': 2 }),
      'is the same edge as "50"; keep one',
    ],
    ['no edges', le({}), 'rows[1].latency_ms.le.+Inf: is missing'],
    [
      'points beside counts',
      { latency_ms: { le: { '+Inf': 1 }, p95: 5 } },
      'rows[1].latency_ms.p95: stands beside le',
    ],
    [
      'no latency at all',
      { latency_ms: {} },
      'rows[1].latency_ms: has neither le nor one of p50, p90, p95, p99',
    ],
    [
      'quantiles that fall',
      { latency_ms: { p50: 9, p95: 5 } },
      'rows[1].latency_ms.p95: is 5, below p50 (9)',
    ],
    [
      'an unknown quantile',
      { latency_ms: { p96: 9 } },
      'rows[1].latency_ms.p96: is not a known key; did you mean',
    ],
    [
      'a mean score above 1',
      { quality: { n: 10, sum: 11, sum_sq: 11 } },
      'rows[1].quality.sum: is 11; 10 values from 0 to 1 sum to 0 to 10',
    ],
    [
      'squares too small for their sum',
      { quality: { n: 10, sum: 5, sum_sq: 2 } },
      'rows[1].quality.sum_sq: is 2; the squares of 10 values with sum 5 sum to at least 2.5',
    ],
    [
      'squares too large for their sum',
      { quality: { n: 10, sum: 5, sum_sq: 6 } },
      'rows[1].quality.sum_sq: is 6; the squares of 10 values from 0 to 1 with sum 5 sum to at most 5',
    ],
    [
      'a sum of nothing',
      { kpi: { other: { n: 0, sum: 1, sum_sq: 1 } } },
      'rows[1].kpi.other.sum: is 1 of no values',
    ],
    [
      'more scores than requests',
      { quality: { n: 27_001, sum: 1, sum_sq: 1 } },
      'rows[1].quality.n: is 27001, more than the 27000 requests',
    ],
    [
      'a KPI beyond its bounds',
      { kpi: { sales: { n: 10, sum: 20, sum_sq: 50 } } },
      'rows[1].kpi.sales.sum: is 20; 10 values from 0 to 1 sum to 0 to 10',
    ],
    [
      'a KPI without a name',
      { kpi: { 'a b': { n: 0, sum: 0, sum_sq: 0 } } },
      'rows[1].kpi.a b: is no name',
    ],
    [
      'moments without a count',
      { quality: { sum: 1, sum_sq: 1 } },
      'rows[1].quality.n: is missing',
    ],
    [
      'the other version',
      { version: '1.0.0' },
      'rows[1]: has the version and cohort of rows[0] at line 1, 1.0.0 in en-US/mobile',
    ],
    [
      'a version that is not the canary',
      { version: '1.2.0' },
      'rows: none has version "1.1.0", the canary version of the release; the versions here are "1.0.0", "1.2.0"',
    ],
  ])('with %s is refused by its path', (_, change, message) => {
    const problems = problemsOf(sampleFile({}, change), SPEC)
    expect(problems.join('\n')).toContain(message)
    expect(problems.every((problem) => /^m\.json:\d+:\d+: /.test(problem))).toBe(true)
  })

  it.each([
    [
      'an end before the start',
      { start: '2026-11-23T11:00:00Z', end: '2026-11-23T10:00:00Z' },
      'window.end: is not after the start (2026-11-23T11:00:00.000Z)',
    ],
    [
      'no length',
      { start: '2026-11-23T10:00:00Z', end: '2026-11-23T10:00:00Z' },
      'window.end: is not after',
    ],
    [
      'a time that is a number',
      { start: 1, end: '2026-11-23T10:00:00Z' },
      'window.start: is 1; expected an RFC 3339 time',
    ],
    [
      'a day that there is none',
      { start: '2026-02-30T10:00:00Z', end: '2026-11-23T10:00:00Z' },
      'window.start: is "2026-02-30T10:00:00Z"; expected',
    ],
    ['no start', { end: '2026-11-23T10:00:00Z' }, 'window.start: is missing'],
  ])('with a window of %s is refused', (_, window, message) => {
    expect(problemsOf(sampleFile({}, {}, { window }), SPEC).join('\n')).toContain(message)
  })

  it.each([
    ['NaN', '"errors":120', '"errors":NaN', 'rows[0].errors: is NaN; expected a whole number'],
    ['infinity', '"errors":120', '"errors":-Infinity', 'rows[0].errors: is -Infinity; expected'],
    [
      'a number beyond all',
      '"sum":23220',
      '"sum":1e999',
      'rows[0].quality.sum: is 1e999; expected a number',
    ],
    [
      'a key written twice',
      '"errors":120',
      '"errors":120,"errors":0',
      'rows[0].errors: is written twice, first at line 1; keep one',
    ],
    ['a list instead of rows', '"rows":[', '"rows":{},"x":[', 'rows: is a map; expected a list'],
    ['a comma too many', '"errors":120,', '"errors":120,,', 'cannot be read as JSON from here'],
  ])('with %s is refused', (_, from, to, message) => {
    const text = JSON.stringify(sampleFile()).replace(from, to)
    expect(problemsOf(text, SPEC).join('\n')).toContain(message)
  })

  it('that is no object, empty, deep or huge is refused with one line', () => {
    for (const [text, message] of [
      ['[]', 'm.json:1:1: is a list; expected a map with the keys window, rows'],
      ['', 'm.json:1:1: is empty'],
      ['{"rows":'.repeat(3000), 'm.json:1:521: is nested more than 64 levels deep'],
      [`{"rows":[${'{},'.repeat(10_001)}{}]}`, 'm.json:1:1: window: is missing'],
      [`"${'x'.repeat(17 * 1024 * 1024)}"`, 'm.json:1:1: is larger than 16 MiB'],
    ] as const) {
      expect(problemsOf(text, SPEC)[0]).toContain(message)
    }
    const rows = Array.from({ length: 10_001 }, () => ({}))
    expect(problemsOf(sampleFile({}, {}, { rows }), SPEC)).toEqual([
      expect.stringContaining('rows: has 10001 rows; at most 10000'),
    ])
  })

  it('with bytes that are no UTF-8 is refused by its line', () => {
    const bytes = new Uint8Array([0x7b, 0x0a, 0xc3, 0xa4, 0x0a, 0xff, 0x7d])
    expect(readMetricsFile(bytes, 'm.json', SPEC)).toEqual({
      problems: [
        expect.objectContaining({ line: 3, message: expect.stringContaining('no UTF-8') }),
      ],
    })
  })

  it('has all its problems told at once, in their order', () => {
    const content = sampleFile({ errors: -1, requests: '5' }, { errors: 30_000 }, { windows: 1 })
    const problems = problemsOf(JSON.stringify(content, null, 1), SPEC)
    expect(problems.map((problem) => problem.split(': ')[1])).toEqual([
      'rows[0].requests',
      'rows[0].errors',
      'rows[1].errors',
      'windows',
    ])
  })

  it('gives requests in every row or in none', () => {
    const point = {
      errors: undefined,
      latency_ms: { p95: 100 },
      quality: undefined,
      kpi: undefined,
    }
    expect(problemsOf(sampleFile(point, { ...point, requests: undefined }), SPEC)).toEqual([
      expect.stringContaining('rows[1].requests: is missing, while rows[0] has it'),
    ])
    const unsized = { ...point, requests: undefined }
    expect(problemsOf(sampleFile(unsized, unsized), SPEC)).toEqual([])
  })

  it('is taken whenever its numbers can be true', () => {
    fc.assert(
      fc.property(anyFile, (content) => {
        expect(problemsOf(content, SPEC)).toEqual([])
      }),
      { numRuns: 300 },
    )
  })
})
