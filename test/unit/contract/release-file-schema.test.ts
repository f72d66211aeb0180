import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parse, stringify } from 'yaml'
import {
  releaseFileSchema,
  releasePolicySchema,
} from '../../../src/contract/release-file-schema.ts'
import { RELEASE_TEXT, SMALL_TEXT } from './release-samples.ts'
import { problemsOf, small } from './release-texts.ts'

const ajv = new Ajv2020({
  ...{ strict: true, strictRequired: false, strictTypes: false, allErrors: true },
})
const isRelease: ValidateFunction = ajv.compile(releaseFileSchema())
const isPolicy: ValidateFunction = ajv.compile(releasePolicySchema())
const valid = (text: string): boolean => isRelease(parse(text))

/** A value or its text: the reader judges both alike. */
const either = (values: fc.Arbitrary<number>) => fc.oneof(values, values.map(String))
const decimal = (low: number, high: number) =>
  fc.integer({ min: low * 100, max: high * 100 }).map((hundredths) => hundredths / 100)
const quantity = (low: number, high: number, ...units: string[]) =>
  fc
    .tuple(decimal(low, high), fc.constantFrom('', ' '), fc.constantFrom(...units))
    .map(([value, blank, unit]) => `${value}${blank}${unit}`)
const whole = (low: number, high: number, ...units: string[]) =>
  fc
    .tuple(fc.integer({ min: low, max: high }), fc.constantFrom(...units))
    .map(([value, unit]) => `${value}${unit}`)
const some = <T extends object>(shape: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record(shape, { requiredKeys: [] })

const judgedHow = some({
  importance: either(decimal(1, 1000)),
  severity: fc.constantFrom('critical', 'signal'),
  dry_run: fc.boolean(),
  cohorts: fc.constantFrom('all', 'key', 'overall'),
})
const quantile = fc.constantFrom('latency_p50', 'latency_p90', 'latency_p95', 'latency_p99')
const limits: fc.Arbitrary<object> = fc.oneof(
  fc.record({ metric: quantile, max: quantity(1, 80, 'ms', 's') }),
  fc.record({ metric: quantile, max_increase: quantity(0, 1000, '%') }),
  fc.record({ metric: fc.constant('error_rate'), max: quantity(1, 99, '%') }),
  fc.record({ metric: fc.constant('error_rate'), max_increase: quantity(0, 99, '%', 'pp') }),
  fc.record({ metric: fc.constant('quality'), min: either(decimal(0, 1)) }),
  fc.record({ metric: fc.constant('quality'), max_drop: either(decimal(0, 1)) }),
  fc
    .record({
      metric: fc.stringMatching(/^[A-Za-z0-9_.-]{1,20}$/).map((name) => `kpi.${name}`),
      bounds: fc.constantFrom([0, 1], [-1, '3.5'], ['0', 1e9]),
      kind: fc.constantFrom('min', 'max_drop', 'max_increase'),
      value: either(decimal(0, 1)),
    })
    .map(({ metric, bounds, kind, value }) => ({ metric, bounds, [kind]: value })),
)
const guardrail = fc.tuple(limits, judgedHow).map(([limit, how]) => ({ ...limit, ...how }))
/** The same limit twice, or a KPI with two bounds, is an error no schema can see. */
const guardrails = fc.uniqueArray(guardrail, {
  minLength: 1,
  maxLength: 4,
  selector: (one: object) => (one as { metric: string }).metric,
})

const cohort = fc
  .record(
    { locale: fc.constantFrom('en-US', 'de_de', 'und'), device: fc.constantFrom('mobile', 'tv') },
    { requiredKeys: [] },
  )
  .filter((one) => Object.keys(one).length > 0)

const anyRelease: fc.Arbitrary<Record<string, unknown>> = fc
  .tuple(
    fc.record({
      route: fc.constantFrom('intent-classifier/production', 'a/b/c', 'm/1'),
      stable: fc.constantFrom('1.4.2', '0.0.0', '1.0.0-rc.1+build.7'),
      canary: fc.constantFrom('1.5.0', '10.20.30'),
      plan: fc
        .array(
          some({
            min_duration: whole(0, 10_000, 'ms', 's', 'm'),
            min_requests: either(fc.nat({ max: 1e9 })),
          }),
          { minLength: 1, maxLength: 4 },
        )
        .map((steps) => steps.map((step, index) => ({ weight: 10 * (index + 1), ...step }))),
      guardrails,
    }),
    some({
      cohorts: some({
        by: fc.constant(['locale', 'device']),
        key: fc.uniqueArray(cohort, { maxLength: 3, selector: (one) => JSON.stringify(one) }),
      }),
      coverage: some({ min_requests_per_key_cohort: either(fc.nat({ max: 1e9 })) }),
      risk: some({ false_rollback: quantity(1, 50, '%'), false_pass: quantity(1, 50, '%') }),
      blocks: some({
        length: whole(1, 60, 's', 'm'),
        watermark: whole(0, 3600, 'ms', 's'),
        duplicate_lookback: whole(0, 10, 's', 'm'),
      }),
      warmup: whole(0, 24, 's', 'h'),
      heartbeat: whole(100, 5000, 'ms', 's'),
      max_duration: quantity(1, 720, 'h'),
      total_weight: either(fc.integer({ min: 100, max: 1_000_000 })),
      mode: fc.constantFrom('enforced', 'dry_run'),
      judge: some({ include_synthetic: fc.boolean() }),
    }),
  )
  .map(([required, optional]) => ({ ...required, ...optional }))

/** Every map of a file, the file itself first. */
function mapsOf(value: unknown): Record<string, unknown>[] {
  if (typeof value !== 'object' || value === null) return []
  const inner = Object.values(value).flatMap(mapsOf)
  return Array.isArray(value) ? inner : [value as Record<string, unknown>, ...inner]
}

describe('the schema of a release file', () => {
  it('takes every file the reader takes, YAML or JSON', () => {
    fc.assert(
      fc.property(anyRelease, fc.boolean(), (release, asJson) => {
        const text = asJson ? JSON.stringify(release) : stringify(release)
        expect(problemsOf(text)).toEqual([])
        expect(valid(text), JSON.stringify(isRelease.errors)).toBe(true)
      }),
      { numRuns: 200 },
    )
  })

  it.each([RELEASE_TEXT, SMALL_TEXT])('takes the file of the documentation', (text) => {
    expect(valid(text), JSON.stringify(isRelease.errors)).toBe(true)
  })

  it('refuses, as the reader does, a key that is unknown where it stands', () => {
    const key = fc.constantFrom('max_value', 'Weight', 'limit', 'peak_hours', 'shadow', 'min_n')
    fc.assert(
      fc.property(anyRelease, key, fc.nat(), (release, unknown, at) => {
        const maps = mapsOf(release)
        ;(maps[at % maps.length] as Record<string, unknown>)[unknown] = 1
        const text = stringify(release)
        expect(problemsOf(text)).not.toEqual([])
        expect(valid(text)).toBe(false)
      }),
      { numRuns: 200 },
    )
  })

  it('agrees with the reader on every value of a file that is replaced by another', () => {
    const strange = fc.constantFrom<unknown>(
      ...['120', '120ms', '5%', '0.2pp', '1.5h', '10 min', '1d', '-1%', '.5', '0,8%', '1e3'],
      ...['latency', 'latency_p95', 'p95', 'error_rate', 'kpi.a b', 'kpi.__proto__', 'signal'],
      ...['enforced', 'Enforced', 'overall', 'locale', 'mobile', 'phone', 'true', '1.0', 'v1.0.0'],
      ...[0, 0.5, 120, -3, true, null, [], {}, [1], [0, 1], ['x'], 'a/b', ''],
    )
    let refused = 0
    fc.assert(
      fc.property(anyRelease, strange, fc.nat(), fc.nat(), (release, value, at, of) => {
        const maps = mapsOf(release)
        const map = maps[at % maps.length] as Record<string, unknown>
        const keys = Object.keys(map)
        if (keys.length === 0) return
        map[keys[of % keys.length] as string] = value
        const text = stringify(release)
        const accepted = problemsOf(text).length === 0
        if (accepted) expect(valid(text), `${text}${JSON.stringify(isRelease.errors)}`).toBe(true)
        if (!valid(text)) refused++
        if (!accepted && valid(text)) {
          // What is left to the reader: ranges, order, things written twice, locales.
          expect(problemsOf(text).join('\n')).toMatch(
            /allowed is|expected a (whole )?number from|not above|not below|second time|other bounds|twice|no locale|no cohort dimension|must be below|lies within|same as stable|whole number of milliseconds/,
          )
        }
      }),
      { numRuns: 1000 },
    )
    expect(refused).toBeGreaterThan(200)
  }, 60_000)

  it.each([
    ['a latency without unit', small('guardrails', '[{ metric: latency_p95, max: 120 }]')],
    ['a latency in minutes', small('guardrails', '[{ metric: latency_p95, max: 2m }]')],
    ['a rate without unit', small('guardrails', '[{ metric: error_rate, max: 0.8 }]')],
    ['a rate in milliseconds', small('guardrails', '[{ metric: error_rate, max: 8ms }]')],
    ['points for a latency', small('guardrails', '[{ metric: latency_p95, max_increase: 1pp }]')],
    ['a percentage for quality', small('guardrails', '[{ metric: quality, max_drop: 1% }]')],
    ['a duration without unit', small('warmup', '60')],
    ['a duration in days', small('max_duration', '1d')],
    ['a probability without unit', small('risk', '{ false_pass: 0.05 }')],
    ['an unknown metric', small('guardrails', '[{ metric: latency_p96, max: 1s }]')],
    ['a metric of a later version', small('guardrails', '[{ metric: agreement, min: 95% }]')],
    ['a limit of another metric', small('guardrails', '[{ metric: quality, max: 0.5 }]')],
    ['two limits in one', small('guardrails', '[{ metric: quality, min: 0.5, max_drop: 0.1 }]')],
    ['no limit', small('guardrails', '[{ metric: quality }]')],
    ['a KPI without bounds', small('guardrails', '[{ metric: kpi.x, min: 1 }]')],
    ['bounds without KPI', small('guardrails', '[{ metric: quality, min: 1, bounds: [0, 1] }]')],
    ['an unknown severity', small('guardrails', '[{ metric: quality, min: 1, severity: fatal }]')],
    ['an unknown scope', small('guardrails', '[{ metric: quality, min: 1, cohorts: none }]')],
    ['an unknown dimension', small('cohorts', '{ by: [country] }')],
    ['an unknown device', small('cohorts', '{ key: [{ device: phone }] }')],
    ['an unknown mode', small('mode', 'shadow')],
    ['a text for a boolean', small('judge', '{ include_synthetic: "true" }')],
    ['a step of a later version', small('plan', '[{ shadow: 1h }]')],
    ['an empty plan', small('plan', '[]')],
    ['a version that is none', small('canary', 'latest')],
    ['a route without environment', small('route', 'm')],
    ['a key without value', small('guardrails', '')],
  ])('refuses, as the reader does, %s', (_, text) => {
    expect(problemsOf(text)).not.toEqual([])
    expect(valid(text)).toBe(false)
  })

  it.each(['route', 'stable', 'canary', 'plan', 'guardrails'])(
    'asks for %s unless the file extends another that may have it',
    (key) => {
      const without = SMALL_TEXT.split('\n').filter((line) => !line.startsWith(`${key}:`))
      const line = SMALL_TEXT.split('\n').find((one) => one.startsWith(`${key}:`))
      const text = without.join('\n')
      expect(problemsOf(text)).not.toEqual([])
      expect(valid(text)).toBe(false)
      const extending = `${text}extends: policy.yaml\n`
      expect(problemsOf(extending, { 'policy.yaml': `${line}\n` })).toEqual([])
      expect(valid(extending), JSON.stringify(isRelease.errors)).toBe(true)
    },
  )
})

describe('the schema of an organisation policy', () => {
  it('takes any part of a release file, and no policy that extends another', () => {
    expect(isPolicy(parse('risk: { false_rollback: 1% }'))).toBe(true)
    expect(isPolicy(parse(SMALL_TEXT))).toBe(true)
    expect(isPolicy(parse('extends: other.yaml'))).toBe(false)
    expect(isPolicy(parse('risk: { false_rollback: 0.01 }'))).toBe(false)
  })
})
