import { describe, expect, it } from 'vitest'
import { blocksOf, historyOf } from '../../../../src/adapters/clickhouse/block-rows.ts'
import { buildSpec } from '../../../support/builders.ts'

const spec = buildSpec()
const NOTHING = [0, 0, 0, [], [], [], 0, '0', '0', [], [], []]
const cell = (arm: string, locale: string, device: string, requests = 1) => [
  ...[arm, locale, device, requests, 0, 1, [1], [3, 9], [1, 2]],
  ...[2, '1500000', '1250000000000', [1], ['-2000000'], ['4000000000000']],
]
const summary = ['', '', '', ...NOTHING]
const REST = [0, 1, 1, '']
const row = (
  startMs: number,
  writer: string,
  closedAt: number,
  of: unknown[],
  events = 0,
  rest: unknown[] = REST,
) => [...[startMs, writer, closedAt, events, 0, 0, 0], ...of, ...rest]

describe('stored blocks', () => {
  it('come back with their cells by arm, locale and device', () => {
    const rows = [
      row(0, 'w', 1, cell('canary', 'de', 'tv')),
      row(0, 'w', 1, cell('stable', 'en', 'desktop')),
      row(0, 'w', 1, summary, 7),
      row(0, 'w', 1, cell('stable', 'de', 'tv')),
      row(0, 'w', 1, cell('stable', 'de', 'mobile')),
      row(10_000, 'v', 2, summary),
    ]
    const blocks = blocksOf(rows, spec)
    expect(blocks.map(({ startMs, endMs, events }) => [startMs, endMs, events])).toEqual([
      [0, 10_000, 7],
      [10_000, 20_000, 0],
    ])
    expect(blocks[0]?.cells.map(({ arm, cohort }) => [arm, cohort])).toEqual([
      ['stable', { locale: 'de', device: 'mobile' }],
      ['stable', { locale: 'de', device: 'tv' }],
      ['stable', { locale: 'en', device: 'desktop' }],
      ['canary', { locale: 'de', device: 'tv' }],
    ])
    expect(blocks[0]?.cells[0]?.metrics).toEqual({
      requests: 1,
      errors: 0,
      latencies: 1,
      overLimit: [1],
      bins: [3, 9],
      counts: [1, 2],
      quality: { n: 2, sum: 1.5, sumSquares: 1.25 },
      kpis: [{ n: 1, sum: -2, sumSquares: 4 }],
    })
  })

  const metricsWith = (...rest: unknown[]) => {
    const rows = [row(0, 'w', 1, summary), row(0, 'w', 1, cell('stable', 'de', 'tv'), 0, rest)]
    return blocksOf(rows, spec)[0]?.cells[0]?.metrics
  }

  it('name what was cancelled, a sample rate that is not 1, and users only where there are any', () => {
    const plain = metricsWith(0, 1, 1, '')
    expect(Object.keys(plain ?? {}).sort()).toEqual(
      ['requests', 'errors', 'latencies', 'overLimit', 'bins', 'counts', 'quality', 'kpis'].sort(),
    )
    expect(metricsWith(3, 0.25, 1, '')).toEqual({ ...plain, cancelled: 3, sampleRates: [0.25, 1] })
    const users = '7,9 2,1 1,0   0,1 2,0 1500000,0 1,1 -2000000,500000'
    expect(metricsWith(0, 1, 1, users)?.users).toEqual({
      ...{ buckets: [7, 9], requests: [2, 1], errors: [1, 0], latencies: [2, 1] },
      ...{ overLimit: [[0, 0]], overSlowBin: [[0, 1]] },
      ...{ qualityN: [2, 0], qualitySum: [1.5, 0], kpiN: [[1, 1]], kpiSum: [[-2, 0.5]] },
    })
  })

  it('of rows from before there were users have none, and no sample rate', () => {
    expect(metricsWith(0, 0, 0, '')).toEqual(metricsWith(0, 1, 1, ''))
  })

  it('of two writers are those of the one that closed first; by name when both did at once', () => {
    const late = [row(0, 'a', 5, summary, 50), row(0, 'a', 5, cell('stable', 'x', 'tv'))]
    const early = [row(0, 'b', 4, cell('stable', 'y', 'tv')), row(0, 'b', 4, summary, 40)]
    for (const rows of [
      [...late, ...early],
      [...early, ...late],
    ]) {
      const [block] = blocksOf(rows, spec)
      expect(block?.events).toBe(40)
      expect(block?.cells.map(({ cohort }) => cohort.locale)).toEqual(['y'])
    }
    const tied = [row(0, 'd', 4, summary, 1), row(0, 'c', 4, summary, 2)]
    expect(blocksOf(tied, spec)[0]?.events).toBe(2)
  })

  it('name only the dimensions the release splits by', () => {
    const rows = [row(0, 'w', 1, summary), row(0, 'w', 1, cell('stable', '', 'tv'))]
    const byDevice = buildSpec({ cohorts: { by: ['device'], key: [] } })
    expect(blocksOf(rows, byDevice)[0]?.cells[0]?.cohort).toEqual({ device: 'tv' })
  })

  it('are refused when a row is not what was asked for', () => {
    expect(() => blocksOf([[1, 2]], spec)).toThrow('unexpected row')
    expect(() => historyOf([[1, 2]], spec)).toThrow('unexpected row')
  })
})

describe('a stored history', () => {
  it('is one cell per cohort of the first writer, ascending', () => {
    const rows = [
      ['w', 2, ...cell('stable', 'en', 'tv', 3)],
      ['w', 2, ...summary],
      ['w', 2, ...cell('stable', 'de', 'tv', 4)],
      ['v', 3, ...summary],
      ['v', 3, ...cell('stable', 'aa', 'tv', 9)],
    ]
    const cells = historyOf(rows, spec)
    expect(cells.map(({ cohort, metrics }) => [cohort.locale, metrics.requests])).toEqual([
      ['de', 4],
      ['en', 3],
    ])
    expect(historyOf([], spec)).toEqual([])
  })
})
