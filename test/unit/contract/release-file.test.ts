import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sha256 } from '../../../src/contract/release-defaults.ts'
import { formatProblem, parseReleaseFile } from '../../../src/contract/release-file.ts'
import { RELEASE_TEXT, SMALL_TEXT } from './release-samples.ts'
import { onlyProblem, problemsOf, small, specOf } from './release-texts.ts'

describe('parseReleaseFile', () => {
  it('reads the release file of the documentation', () => {
    const spec = specOf(RELEASE_TEXT)
    expect(spec).toMatchObject({
      route: 'intent-classifier/production',
      modelName: 'intent-classifier',
      environment: 'production',
      stable: '1.4.2',
      canary: '1.5.0',
      plan: [
        { weight: 5, minDurationMs: 600_000, minRequests: 2000 },
        { weight: 25, minDurationMs: 1_800_000, minRequests: 0 },
        { weight: 50, minDurationMs: 3_600_000, minRequests: 0 },
      ],
      cohorts: {
        by: ['locale', 'device'],
        key: [{ locale: 'en-US' }, { locale: 'de-DE', device: 'mobile' }],
      },
    })
    expect(spec.guardrails.map(({ written, limit }) => [written, limit])).toEqual([
      ['max: 120ms', { kind: 'max', value: 120 }],
      ['max_increase: 10%', { kind: 'max_increase', relative: true, value: 0.1 }],
      ['max: 0.8%', { kind: 'max', value: 0.008 }],
      ['max_increase: 0.2pp', { kind: 'max_increase', relative: false, value: 0.002 }],
      ['max_drop: 0.01', { kind: 'max_drop', value: 0.01 }],
    ])
  })

  it('fills in the documented defaults', () => {
    const { key, ...rest } = specOf(RELEASE_TEXT).cohorts
    const written = { ...specOf(RELEASE_TEXT), cohorts: { ...rest, key: [] } }
    const { route, modelName, environment, stable, canary, plan, guardrails, ...defaults } =
      specOf(SMALL_TEXT)
    expect(written).toMatchObject(defaults)
    expect(defaults).toMatchObject({
      mode: 'enforced',
      includeSynthetic: false,
      coverage: { minRequestsPerKeyCohort: 0 },
    })
    expect(plan).toEqual([{ weight: 5, minDurationMs: 0, minRequests: 0 }])
    expect(guardrails).toMatchObject([
      { importance: 1, severity: 'critical', dryRun: false, cohorts: 'all' },
    ])
  })

  it('reads the same from JSON', () => {
    const json = {
      route: 'm/e',
      stable: '1.0.0',
      canary: '1.1.0',
      plan: [{ weight: 5 }],
      guardrails: [{ metric: 'error_rate', max: '1%' }],
    }
    expect(specOf(JSON.stringify(json, null, '\t'))).toEqual(specOf(SMALL_TEXT))
  })

  it('takes the part after the last slash of the route for the environment', () => {
    expect(specOf(small('route', 'team/intent/staging'))).toMatchObject({
      modelName: 'team/intent',
      environment: 'staging',
    })
  })

  it('tells every problem at once, in the order of the file', () => {
    const text = `route: m
stable: 1.0
canary: 1.1.0
plan:
  - { weigth: 5 }
guardrails:
  - { metric: lateny_p95, max: 120ms }
  - { metric: latency_p95, max: 120 }
wramup: 60s
`
    expect(problemsOf(text)).toEqual([
      'r.yaml:1:8: route: is "m"; expected <model name>/<environment>, such as intent-classifier/production',
      'r.yaml:2:9: stable: is 1.0, which is no semantic version; write 1.0.0',
      'r.yaml:5:7: plan[0].weigth: is not a known key; did you mean "weight"? allowed are weight, min_duration, min_requests, shadow, target_rps',
      'r.yaml:7:15: guardrails[0].metric: is "lateny_p95", which is no metric; did you mean "latency_p95"? allowed are latency_p50, latency_p90, latency_p95, latency_p99, error_rate, quality, kpi.<name>',
      'r.yaml:8:33: guardrails[1].max: 120 has no unit; write 120ms for milliseconds or 120s for seconds',
      expect.stringMatching(/^r.yaml:9:1: wramup: is not a known key; did you mean "warmup"\?/),
    ])
  })

  it.each([
    ['route', 'write for example route: intent-classifier/production'],
    ['stable', 'write for example stable: 1.4.2'],
    ['canary', 'write for example canary: 1.5.0'],
    ['plan', 'write for example plan: [{ weight: 5, min_duration: 10m }]'],
    ['guardrails', 'write for example guardrails: [{ metric: error_rate, max: 1% }]'],
  ])('requires %s', (key, hint) => {
    const text = SMALL_TEXT.replace(new RegExp(`^${key}:.*\n`, 'm'), '')
    expect(onlyProblem(text)).toBe(`r.yaml:1:1: ${key}: is missing; ${hint}`)
  })

  it('reports a key that is written twice, with both lines', () => {
    expect(onlyProblem(`${SMALL_TEXT}warmup: 1s\nwarmup: 2s\n`)).toBe(
      'r.yaml:7:1: warmup: is written twice, first at line 6; keep one',
    )
  })

  it('does not call a misspelt key missing as well', () => {
    expect(onlyProblem(SMALL_TEXT.replace('stable', 'stabel'))).toMatch(/did you mean "stable"\?/)
  })

  it('says what an empty or other file should be', () => {
    const message = 'write keys such as route, stable, canary, plan and guardrails'
    expect(onlyProblem('')).toBe(`r.yaml:1:1: is empty; ${message}`)
    expect(onlyProblem('# nothing\n')).toMatch(/is empty/)
    expect(onlyProblem('[1]')).toBe(`r.yaml:1:1: is no map; ${message}`)
  })

  it('never throws, and never accepts a file with an unknown key', () => {
    const key = fc.constantFrom('route', 'stable', 'plan', 'guardrails', 'cohorts', 'extends', 'x')
    const value = fc.oneof(
      fc.constantFrom('m/e', '1.0.0', '[]', '{}', '[{}]', '~', '&a 1', '*a', '10s', '5%', '"'),
      fc.json({ maxDepth: 3 }),
      fc.string(),
    )
    fc.assert(
      fc.property(fc.array(fc.tuple(key, value), { maxLength: 8 }), (entries) => {
        const text = entries.map(([name, text]) => `${name}: ${text}\n`).join('')
        const parsed = parseReleaseFile(`${SMALL_TEXT}x: 1\n${text}`, { fileName: 'r.yaml' })
        expect('problems' in parsed && parsed.problems.length > 0).toBe(true)
      }),
      { numRuns: 500 },
    )
  })
})

describe('a policy', () => {
  const policy = 'warmup: 5m\nheartbeat: 5m\nrisk: { false_pass: 1% }\n'
  const release = `extends: policies/payments.yaml\n${SMALL_TEXT}heartbeat: 10s\n`

  it('gives the top-level keys that the release file does not have', () => {
    expect(specOf(release, { 'policies/payments.yaml': policy })).toMatchObject({
      warmupMs: 300_000,
      heartbeatMs: 10_000,
      risk: { falseRollback: 0.05, falsePass: 0.01 },
      policy: { name: 'payments', hash: sha256(policy) },
    })
  })

  it('does not mix with a key of the release file', () => {
    const own = `${release}risk: { false_rollback: 2% }\n`
    expect(specOf(own, { 'policies/payments.yaml': policy }).risk).toEqual({
      falseRollback: 0.02,
      falsePass: 0.05,
    })
  })

  it('is named with its own lines when something in it is wrong', () => {
    const broken = 'warmup: 5\nheartbeat: soon\nunknown: 1\nextends: x.yaml\n'
    expect(problemsOf(release, { 'policies/payments.yaml': broken })).toEqual([
      'policies/payments.yaml:1:9: warmup: 5 has no unit; write 5s for seconds (units are ms, s, m, h)',
      expect.stringMatching(/^policies\/payments.yaml:3:1: unknown: is not a known key; allowed/),
      'policies/payments.yaml:4:1: extends: a policy cannot extend another file; copy it in',
    ])
    expect(problemsOf(release, { 'policies/payments.yaml': 'a: [' })[0]).toMatch(
      /^policies\/payments.yaml:1:5: cannot be read as YAML/,
    )
  })

  it('changes its hash with every change of its text', () => {
    const first = specOf(release, { 'policies/payments.yaml': policy }).policy.hash
    const second = specOf(release, { 'policies/payments.yaml': `${policy}\n` }).policy.hash
    expect(second).not.toBe(first)
  })

  it('cannot be followed where no files can be read', () => {
    const parsed = parseReleaseFile(release, { fileName: 'r.yaml' })
    expect('problems' in parsed && parsed.problems.map(formatProblem)).toEqual([
      'r.yaml:1:10: extends: cannot be followed here; copy the policy into the file',
    ])
  })
})

describe('formatProblem', () => {
  it('begins with file, line and column; a problem of the whole file names no field', () => {
    const place = { file: 'a.yaml', line: 3, column: 7 }
    expect(formatProblem({ ...place, field: 'plan', message: 'is 5' })).toBe(
      'a.yaml:3:7: plan: is 5',
    )
    expect(formatProblem({ ...place, field: '', message: 'is empty' })).toBe('a.yaml:3:7: is empty')
  })
})
