import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { decodeDecision } from '../../../src/contract/decision.ts'
import { runHaldane } from '../../support/run-haldane.ts'

const FIXTURES = fileURLToPath(new URL('../../fixtures/judge/', import.meta.url))
const RELEASE = join(FIXTURES, 'release.yaml')
const scratch = mkdtempSync(join(tmpdir(), 'judge-usage-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

/** A file of its own in the scratch directory. */
function fileOf(name: string, text: string): string {
  const path = join(scratch, name)
  writeFileSync(path, text)
  return path
}

/** The table of a screen: metric and cohort to the cells after them. */
function tableOf(stdout: string): Map<string, string[]> {
  const lines = stdout.split('\n')
  const head = lines.findIndex((line) => line.startsWith('guardrail'))
  const rows = lines.slice(head + 1).map((line) => line.split(/ {2,}/))
  return new Map(
    rows.map(([metric, , cohort, ...cells]) => [`${metric} ${cohort}`, cells] as const),
  )
}

/**
 * Stable 1.4.2 beside canary 1.5.0 at 10 % for 60 minutes; p95 at most 120 ms, errors at most 0.8 %.
 * ln E of "above" and "below" the limit was computed apart from the judge, from the mixture's formula.
 */
const CASES = [
  {
    name: 'increase',
    exitCode: 0,
    first: 'increase: 1.5.0 may go from 10 to 50 of 100',
    reason: 'all_guardrails_passed: all 4 required comparisons are within their limits on 9995',
    rows: {
      'latency_p95 overall': [
        '98 ms',
        '94.7 ms',
        '9 979',
        '−3.3 ms',
        '−20 … +20 ms',
        'within limit',
      ],
      'error_rate overall': [
        '0.492 %',
        '0.47 %',
        '9 995',
        '−0.022 pp',
        '−0.24 … +0.2 pp',
        'within limit',
      ],
    },
    // 234 of 9,979 above 120 ms where 499 are allowed; 47 errors of 9,995 where 80 are.
    evidence: [
      ['latency_p95', -6.129204749, 88.270785515],
      ['error_rate', -3.173423267, 6.598734388],
    ],
  },
  {
    name: 'hold',
    exitCode: 10,
    first: 'hold: 1.5.0 stays at 10 of 100',
    reason:
      'undecided: error_rate (max: 0.8%) for overall is not decided: about 2591 more canary requests, 4h14m',
    rows: {
      'latency_p95 overall': [
        '99.2 ms',
        '94.8 ms',
        '609',
        '−4.4 ms',
        '−70 … +40 ms',
        'within limit',
      ],
      'error_rate overall': [
        '0.492 %',
        '0.328 %',
        '610',
        '−0.16 pp',
        '−1.4 … +1 pp',
        'undecided',
        '2 591 more, 4h14m',
      ],
    },
    // 2 errors of 610: with none at all it would still take 652 to know that 0.8 % is kept.
    evidence: [
      ['latency_p95', -2.455872108, 4.461962506],
      ['error_rate', -1.114205328, 0.648446032],
    ],
  },
  {
    name: 'rollback',
    exitCode: 20,
    first: 'rollback: all traffic back to 1.4.2',
    reason:
      'error_rate_breached: error_rate of 1.5.0 breaks max: 0.8% for overall: 1.5 % (n 10000) against 0.492 % (n 90000) of 1.4.2',
    rows: {
      'latency_p95 overall': ['98 ms', '143 ms', '9 990', '+45 ms', '+20 … +120 ms', 'BREACHED'],
      'error_rate overall': ['0.492 %', '1.5 %', '10 000', '+1 pp', '+0.61 … +1.4 pp', 'BREACHED'],
    },
    // 660 of 9,990 above 120 ms where 500 are allowed; 150 errors of 10,000 where 80 are.
    evidence: [
      ['latency_p95', 22.20917729, -5.22000035],
      ['error_rate', 22.283539178, -4.015482198],
    ],
  },
] as const

describe('haldane judge', () => {
  it.each(CASES)('$name: exit code, verdict, reason and table', async (expected) => {
    const metrics = join(FIXTURES, `${expected.name}.json`)
    const { exitCode, stdout, stderr } = await runHaldane([
      ...['judge', '--release', RELEASE, '--metrics', metrics],
    ])
    expect([exitCode, stderr]).toEqual([expected.exitCode, ''])
    const lines = stdout.split('\n')
    expect(lines[0]).toBe(expected.first)
    expect(lines[6]).toContain(expected.reason)
    const table = tableOf(stdout)
    for (const [row, cells] of Object.entries(expected.rows)) expect(table.get(row)).toEqual(cells)
    expect(lines.length).toBeLessThan(24)
  })

  it.each(CASES)(
    '$name --json: one decision with the evidence of an independent calculation',
    async (expected) => {
      const metrics = readFileSync(join(FIXTURES, `${expected.name}.json`))
      const { exitCode, stdout, stderr } = await runHaldane(
        ['judge', '--release', RELEASE, '--metrics', '-', '--json'],
        { input: [metrics] },
      )
      expect([exitCode, stderr]).toEqual([expected.exitCode, ''])
      const decision = decodeDecision(stdout)
      expect(decision).toMatchObject({ action: expected.name, generation: 1 })
      for (const [metric, above, below] of expected.evidence) {
        const row = decision.evidence.find(
          (one) => one.metric === metric && one.cohort === 'overall',
        )
        expect(row?.logEBreach).toBeCloseTo(above, 7)
        expect(row?.logEPass).toBeCloseTo(below, 7)
      }
    },
  )

  it('says how its numbers are read on standard error, and decides by points only when told to', async () => {
    const metrics = fileOf(
      'points.json',
      JSON.stringify({
        window: { start: '2026-11-23T10:00:00Z', end: '2026-11-23T11:00:00Z' },
        rows: [
          { version: '1.4.2', latency_ms: { p95: 110 }, error_rate: 0.004 },
          { version: '1.5.0', latency_ms: { p95: 118 }, error_rate: 0.007 },
          { version: '1.3.0', error_rate: 0.001 },
        ],
      }),
    )
    const release = fileOf(
      'points.yaml',
      readFileSync(RELEASE, 'utf8')
        .replace(/, min_requests: \d+/, '')
        .replace(/key: .*\}\] \}/, 'key: [] }'),
    )
    const args = ['judge', '--release', release, '--metrics', metrics]
    const held = await runHaldane(args)
    expect(held.exitCode).toBe(10)
    expect(held.stderr).toContain('rows of other versions are left out: 1.3.0')
    expect(held.stderr).toContain('nothing is known of their uncertainty')
    expect(tableOf(held.stdout).get('error_rate overall')).toEqual([
      ...['0.4 %', '0.7 %', '–', '+0.3 pp', 'not known', 'undecided'],
    ])
    const trusted = await runHaldane([...args, '--trust-points'])
    expect([trusted.exitCode, trusted.stdout.split('\n')[0]]).toEqual([
      ...[0, 'increase: 1.5.0 may go from 1 to 10 of 100'],
    ])
  })

  it('follows the policy a release file extends', async () => {
    fileOf('strict.yaml', 'risk: { false_rollback: 1%, false_pass: 0.1% }\n')
    const release = fileOf(
      'extending.yaml',
      `extends: strict.yaml\n${readFileSync(RELEASE, 'utf8')}`,
    )
    const metrics = join(FIXTURES, 'increase.json')
    const { exitCode, stdout } = await runHaldane([
      'judge',
      '--release',
      release,
      '--metrics',
      metrics,
      '--json',
    ])
    // 28 errors of 6,010 are enough to pass at 5 %, not at 0.1 %.
    expect(exitCode).toBe(10)
    expect(decodeDecision(stdout).policy.name).toBe('strict')
  })

  const metrics = JSON.parse(readFileSync(join(FIXTURES, 'increase.json'), 'utf8')) as {
    rows: Record<string, unknown>[]
  }
  const spoilt = (change: object) =>
    JSON.stringify(
      { ...metrics, rows: [{ ...metrics.rows[0], ...change }, ...metrics.rows.slice(1)] },
      null,
      1,
    )

  it.each([
    [
      'errors beyond the requests',
      spoilt({ errors: 99_999 }),
      ':12:14: rows[0].errors: is 99999, more than the 54000 requests of the row',
    ],
    [
      'a negative count',
      spoilt({ errors: -1 }),
      ':12:14: rows[0].errors: is -1; expected a whole number from 0 to 10000000000',
    ],
    [
      'counts that fall',
      spoilt({ latency_ms: { le: { '50': 5, '80': 4, '+Inf': 5 } } }),
      ':16:12: rows[0].latency_ms.le.80: is 4, less than the 5 up to 50',
    ],
    [
      'an unknown key',
      spoilt({ erors: 1 }),
      ':23:4: rows[0].erors: is not a known key; did you mean "errors"? allowed are version',
    ],
    [
      'text that is no JSON',
      'rows: []',
      ':1:1: cannot be read as JSON from here: rows: []; expected a value',
    ],
    ['nothing', '', ':1:1: is empty; expected a JSON object'],
  ])('refuses %s: exit code 2, nothing judged', async (_, text, message) => {
    const path = fileOf('spoilt.json', text)
    const { exitCode, stdout, stderr } = await runHaldane([
      ...['judge', '--release', RELEASE, '--metrics', path, '--json'],
    ])
    expect([exitCode, stdout]).toEqual([2, ''])
    expect(stderr).toContain(`error: ${path}${message}`)
    expect(stderr.trimEnd().split('\n').at(-1)).toBe('  nothing was judged')
  })

  it.each([
    [['--metrics', 'nowhere.json'], 'nowhere.json: there is no such file'],
    [['--metrics', 'src'], 'src: it is a directory'],
    [['--release', 'nowhere.yaml'], 'nowhere.yaml: there is no such file'],
    [['--fast'], "unknown option '--fast'"],
  ])('refuses %j with one clear line', async (args, message) => {
    const good = ['--release', RELEASE, '--metrics', join(FIXTURES, 'hold.json')]
    const { exitCode, stdout, stderr } = await runHaldane(['judge', ...good, ...args])
    expect([exitCode, stdout]).toEqual([2, ''])
    expect(stderr.split('\n')[0]).toContain(message)
  })

  it('tells its exit codes in its help', async () => {
    const { exitCode, stdout } = await runHaldane(['judge', '--help'])
    expect(exitCode).toBe(0)
    expect(stdout).toContain(
      'Exit codes: 0 increase, 10 hold, 20 rollback; 2 invalid input, 1 failed.',
    )
  })
})
