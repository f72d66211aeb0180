import { describe, expect, it } from 'vitest'
import { parseReleaseFile } from '../../../src/contract/release-file.ts'
import type { Guardrail } from '../../../src/domain/release.ts'

function read(...guardrails: readonly string[]): readonly Guardrail[] | readonly string[] {
  const list = guardrails.map((guardrail) => `  - ${guardrail}\n`).join('')
  const text = `route: m/e\nstable: 1.0.0\ncanary: 1.1.0\nplan: [{ weight: 5 }]\nguardrails:\n${list}`
  const parsed = parseReleaseFile(text, { fileName: 'r.yaml' })
  return 'spec' in parsed
    ? parsed.spec.guardrails
    : parsed.problems.map(({ line, field, message }) => `${line} ${field}: ${message}`)
}

describe('guardrails', () => {
  it.each([
    ['{ metric: latency_p50, max: 0.5s }', { kind: 'max', value: 500 }, 'max: 0.5s'],
    [
      '{ metric: latency_p99, max_increase: 0% }',
      { kind: 'max_increase', relative: true, value: 0 },
      'max_increase: 0%',
    ],
    [
      '{ metric: error_rate, max_increase: 25% }',
      { kind: 'max_increase', relative: true, value: 0.25 },
      'max_increase: 25%',
    ],
    [
      '{ metric: error_rate, max_increase: "0.7pp" }',
      { kind: 'max_increase', relative: false, value: 0.007 },
      'max_increase: 0.7pp',
    ],
    ['{ metric: quality, min: 0.90 }', { kind: 'min', value: 0.9 }, 'min: 0.90'],
    ['{ metric: quality, max_drop: 0 }', { kind: 'max_drop', value: 0 }, 'max_drop: 0'],
    ['{ metric: kpi.revenue, bounds: [0, 50], min: 1.5 }', { kind: 'min', value: 1.5 }, 'min: 1.5'],
    [
      '{ metric: kpi.revenue, bounds: [-1, 1], max_drop: 2 }',
      { kind: 'max_drop', value: 2 },
      'max_drop: 2',
    ],
    [
      '{ metric: kpi.cost, bounds: [0, 1e3], max_increase: 0.1 }',
      { kind: 'max_increase', relative: false, value: 0.1 },
      'max_increase: 0.1',
    ],
  ])('read %s', (text, limit, written) => {
    expect(read(text)).toMatchObject([{ limit, written }])
  })

  it('know the quantile and the bounds of their metric', () => {
    expect(
      read(
        '{ metric: latency_p50, max: 1s }',
        '{ metric: latency_p90, max: 1s }',
        '{ metric: latency_p95, max: 1s }',
        '{ metric: latency_p99, max: 1s }',
        '{ metric: kpi.a.b, bounds: [0, 5], min: 1 }',
      ),
    ).toMatchObject([
      { metric: { kind: 'latency', name: 'latency_p50', quantile: 0.5 } },
      { metric: { kind: 'latency', name: 'latency_p90', quantile: 0.9 } },
      { metric: { kind: 'latency', name: 'latency_p95', quantile: 0.95 } },
      { metric: { kind: 'latency', name: 'latency_p99', quantile: 0.99 } },
      { metric: { kind: 'kpi', name: 'kpi.a.b', key: 'a.b', bounds: [0, 5] } },
    ])
  })

  it('read their further keys', () => {
    expect(
      read(
        '{ metric: quality, min: 0.9, importance: 2.5, severity: signal, dry_run: true, cohorts: key }',
      ),
    ).toMatchObject([{ importance: 2.5, severity: 'signal', dryRun: true, cohorts: 'key' }])
  })

  it.each([
    [
      '{ metric: latency_p95 }',
      'guardrails[0]: has no limit; latency_p95 takes max or max_increase',
    ],
    [
      '{ metric: latency_p95, min: 10ms }',
      'guardrails[0].min: is no limit of latency_p95; allowed are max, max_increase',
    ],
    [
      '{ metric: quality, max: 0.9 }',
      'guardrails[0].max: is no limit of quality; allowed are min, max_drop',
    ],
    [
      '{ metric: latency_p95, max: 1s, max_increase: 5% }',
      'guardrails[0]: has 2 limits (max, max_increase); write one guardrail for each',
    ],
    [
      '{ metric: latency_p95, max_increase: 10 }',
      'guardrails[0].max_increase: 10 has no unit; write 10%',
    ],
    [
      '{ metric: latency_p95, max_increase: 10ms }',
      'guardrails[0].max_increase: is "10ms"; the increase of a latency is relative: write for example 10%',
    ],
    [
      '{ metric: latency_p95, max_increase: 10pp }',
      'guardrails[0].max_increase: is "10pp"; the increase of a latency is relative: write for example 10%',
    ],
    [
      '{ metric: latency_p95, max_increase: -1% }',
      'guardrails[0].max_increase: is -1%; allowed is from 0% to 1000%, relative to stable',
    ],
    [
      '{ metric: error_rate, max: 0.5 }',
      'guardrails[0].max: 0.5 has no unit; write 0.5% if it is in percent, 50% if it is a fraction',
    ],
    [
      '{ metric: error_rate, max: 0% }',
      'guardrails[0].max: is 0%; allowed is above 0% and below 100%',
    ],
    [
      '{ metric: error_rate, max: 100% }',
      'guardrails[0].max: is 100%; allowed is above 0% and below 100%',
    ],
    [
      '{ metric: error_rate, max_increase: 0.2 }',
      'guardrails[0].max_increase: 0.2 has no unit; write 0.2pp for percentage points (1% may become 1.2%) or 0.2% for a relative increase',
    ],
    [
      '{ metric: error_rate, max_increase: 0.2points }',
      'guardrails[0].max_increase: has the unit "points"; write 0.2pp for percentage points (1% may become 1.2%) or 0.2% for a relative increase',
    ],
    [
      '{ metric: error_rate, max_increase: 100pp }',
      'guardrails[0].max_increase: is 100pp; allowed is from 0pp to below 100pp',
    ],
    [
      '{ metric: quality, min: 90% }',
      'guardrails[0].min: is 90%; quality is a plain number from 0 to 1: write 0.9',
    ],
    [
      '{ metric: quality, min: 1.5 }',
      'guardrails[0].min: is 1.5; expected a number from 0 to 1: quality is a plain number from 0 to 1',
    ],
    [
      '{ metric: quality, min: 0.9, bounds: [0, 1] }',
      'guardrails[0].bounds: belongs to KPIs only; remove it from quality',
    ],
    [
      '{ metric: kpi.revenue, min: 1 }',
      'guardrails[0].bounds: is missing; write for example bounds: [0, 1]; values outside count as the nearer',
    ],
    [
      '{ metric: kpi.revenue, bounds: [0, 1, 2], min: 1 }',
      'guardrails[0].bounds: has 3 numbers; expected two, [low, high]',
    ],
    [
      '{ metric: kpi.revenue, bounds: [1, 1], min: 1 }',
      'guardrails[0].bounds: is [1, 1]; the first must be below the second',
    ],
    [
      '{ metric: kpi.revenue, bounds: [0, 1], min: 2 }',
      'guardrails[0].min: is 2; expected a number from 0 to 1: kpi.revenue lies within its bounds 0 to 1',
    ],
    [
      '{ metric: kpi.revenue, bounds: [0, 5], max_drop: 10% }',
      'guardrails[0].max_drop: is 10%; a change of kpi.revenue is in its own unit, from 0 to 5',
    ],
    [
      '{ metric: kpi.revenue, bounds: [0, 5], max_drop: 6 }',
      'guardrails[0].max_drop: is 6; expected a number from 0 to 5: a change of kpi.revenue is in its own unit, from 0 to 5',
    ],
    [
      '{ metric: "kpi.", bounds: [0, 1], min: 1 }',
      'guardrails[0].metric: is "kpi."; the name after "kpi." has 1 to 64 of the characters A-Z a-z 0-9 _ . -',
    ],
    [
      '{ metric: memory_headroom, min: 10% }',
      'guardrails[0].metric: memory_headroom is not supported in this version; remove it',
    ],
    [
      '{ metric: agreement, min: 99% }',
      'guardrails[0].metric: agreement is not supported in this version; remove it',
    ],
    [
      '{ metric: toString, max: 1 }',
      'guardrails[0].metric: is "toString", which is no metric; allowed are latency_p50, latency_p90, latency_p95, latency_p99, error_rate, quality, kpi.<name>',
    ],
    [
      '{ metric: quality, min: 0.9, importance: 0 }',
      'guardrails[0].importance: is 0; write a number above 0, or dry_run: true for a guardrail that decides nothing',
    ],
    [
      '{ metric: quality, min: 0.9, severity: crit }',
      'guardrails[0].severity: is "crit"; did you mean "critical"? allowed are critical, signal',
    ],
    [
      '{ metric: quality, min: 0.9, cohorts: each }',
      'guardrails[0].cohorts: is "each"; allowed are all, key, overall',
    ],
    ['{ max: 1% }', 'guardrails[0].metric: is missing; write for example metric: latency_p95'],
  ])('say of %s what is wrong', (text, problem) => {
    expect(read(text)).toEqual([`6 ${problem}`])
  })

  it('hint at the decimal point where a comma splits a value', () => {
    expect(read('{ metric: error_rate, max: 0,8% }')).toEqual([
      '6 guardrails[0].max: 0 has no unit; write 0%',
      '6 guardrails[0].8%: is not a known key; write the decimal point as ".", such as 0.8%',
    ])
  })

  it('refuse the same limit of the same metric twice, in whatever unit', () => {
    expect(
      read(
        '{ metric: error_rate, max_increase: 0.2pp }',
        '{ metric: error_rate, max: 1% }',
        '{ metric: error_rate, max_increase: 20%, cohorts: overall }',
      ),
    ).toEqual([
      '8 guardrails[2]: limits max_increase of error_rate a second time, first in guardrails[0] at line 6; keep one',
    ])
  })

  it('refuse two pairs of bounds of one KPI', () => {
    expect(
      read(
        '{ metric: kpi.a, bounds: [0, 1], min: 0.5 }',
        '{ metric: kpi.b, bounds: [0, 9], min: 0.5 }',
        '{ metric: kpi.a, bounds: [0, 2], max_drop: 0.5 }',
      ),
    ).toEqual([
      '8 guardrails[2].bounds: gives kpi.a other bounds than guardrails[0] at line 6; a KPI has the same bounds everywhere',
    ])
  })
})
