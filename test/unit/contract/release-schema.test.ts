import { describe, expect, it } from 'vitest'
import { onlyProblem, problemsOf, small, specOf } from './release-texts.ts'

describe('the keys of a release', () => {
  it.each([
    ['stable', 'v1.0.0', 'stable: is "v1.0.0", which is no semantic version; write 1.0.0'],
    ['stable', '1', 'stable: is 1, which is no semantic version; write 1.0.0'],
    [
      'stable',
      'latest',
      'stable: is "latest", which is no semantic version; write three numbers, such as 1.5.0, and at most 64 characters',
    ],
    ['canary', '1.0.0', 'canary: is 1.0.0, the same as stable; a release compares two versions'],
    ['heartbeat', '60', 'heartbeat: 60 has no unit; write 60s for seconds (units are ms, s, m, h)'],
    ['heartbeat', '', 'heartbeat: has no value; write one or leave the key out'],
    ['warmup', '25h', 'warmup: is 25h; allowed is from 0s to 24h'],
    ['max_duration', '0s', 'max_duration: is 0s; allowed is from 1s to 720h'],
    ['total_weight', '1', 'total_weight: is 1; expected a whole number from 2 to 1000000'],
    ['total_weight', '100%', 'total_weight: is "100%"; expected a whole number from 2 to 1000000'],
    ['mode', 'dryrun', 'mode: is "dryrun"; did you mean "dry_run"? allowed are enforced, dry_run'],
    ['blocks', '{ length: 50ms }', 'blocks.length: is 50ms; allowed is from 100ms to 1h'],
    ['blocks', '{ length: 61m }', 'blocks.length: is 61m; allowed is from 100ms to 1h'],
    ['blocks', '{ watermark: 61m }', 'blocks.watermark: is 61m; allowed is from 0s to 1h'],
    [
      'blocks',
      '{ duplicate_lookback: 11m }',
      'blocks.duplicate_lookback: is 11m; allowed is from 0s to 10m',
    ],
    [
      'blocks',
      '10s',
      'blocks: is "10s"; expected a map with the keys length, watermark, duplicate_lookback',
    ],
    [
      'risk',
      '{ false_pass: 0.05 }',
      'risk.false_pass: 0.05 has no unit; write 0.05% if it is in percent, 5% if it is a fraction',
    ],
    [
      'risk',
      '{ false_rollback: 0% }',
      'risk.false_rollback: is 0%; allowed is above 0% and up to 50%',
    ],
    [
      'coverage',
      '{ peak_hours: ["09:00-12:00 Europe/Berlin"] }',
      'coverage.peak_hours: peak_hours is not supported in this version; remove it',
    ],
    [
      'coverage',
      '{ min_requests_per_key_cohort: many }',
      'coverage.min_requests_per_key_cohort: is "many"; expected a whole number from 0 to 1000000000',
    ],
    [
      'judge',
      '{ include_synthetic: yes }',
      'judge.include_synthetic: is "yes"; allowed are true and false',
    ],
    ['cohorts', '{ by: [region] }', 'cohorts.by[0]: is "region"; allowed are locale, device'],
    ['cohorts', '{ by: [device, device] }', 'cohorts.by: names a dimension twice; keep one'],
    [
      'cohorts',
      '{ by: [locale], key: [{ device: tv }] }',
      'cohorts.key[0].device: is no cohort dimension of this release; cohorts.by names locale',
    ],
    [
      'cohorts',
      '{ key: [{ device: phone }] }',
      'cohorts.key[0].device: is "phone"; allowed are mobile, desktop, tablet, tv, bot, other, unknown',
    ],
    [
      'cohorts',
      '{ key: [{ locale: de_DE@euro }] }',
      'cohorts.key[0].locale: is "de_DE@euro", which is no locale; write a BCP 47 tag such as de-DE',
    ],
    [
      'cohorts',
      '{ key: [{}] }',
      'cohorts.key[0]: names nothing; write for example { locale: de-DE }',
    ],
    [
      'cohorts',
      '{ key: [{ locale: de-DE }, { locale: de_de }] }',
      'cohorts.key[1]: names de-DE twice; keep one',
    ],
    [
      'plan',
      '[]',
      'plan: is empty; expected at least one of steps such as { weight: 5, min_duration: 10m }',
    ],
    ['plan', '5', 'plan: is 5; expected a list of steps such as { weight: 5, min_duration: 10m }'],
    [
      'plan',
      '[{ weight: 5% }]',
      'plan[0].weight: is "5%"; expected a whole number from 1 to 1000000, in parts of total_weight',
    ],
    [
      'plan',
      '[{ weight: 0 }]',
      'plan[0].weight: is 0; expected a whole number from 1 to 1000000, in parts of total_weight',
    ],
    [
      'plan',
      '[{ weight: 5 }, { weight: 5 }]',
      'plan[1].weight: is 5, not above the step before (5); weights grow from step to step',
    ],
    [
      'plan',
      '[{ weight: 100 }]',
      'plan[0].weight: is 100, not below total_weight (100); after the last step comes promotion, so leave this step out',
    ],
    [
      'plan',
      '[{ shadow: 1h }, { weight: 5 }]',
      'plan[0].shadow: shadow is not supported in this version; begin with a step that has a weight',
    ],
    [
      'plan',
      '[{ weight: 5, target_rps: 50 }]',
      'plan[0].target_rps: target_rps is not supported in this version; remove it',
    ],
    [
      'guardrails',
      '[]',
      'guardrails: is empty; expected at least one of guardrails such as { metric: latency_p95, max: 120ms }',
    ],
    ['extends', '""', 'extends: names no file; write extends: policy.yaml'],
    ['extends', 'other.yaml', 'extends: other.yaml cannot be read: no such file'],
  ])('of %s: %s says what to write instead', (key, value, message) => {
    expect(onlyProblem(small(key, value))).toMatch(/^r\.yaml:\d+:\d+: /)
    expect(onlyProblem(small(key, value))?.replace(/^r\.yaml:\d+:\d+: /, '')).toBe(message)
  })

  it('compares weights with the total weight of the file', () => {
    const text = small('plan', '[{ weight: 5 }, { weight: 999 }]')
    expect(specOf(`${text}total_weight: 1000\n`).totalWeight).toBe(1000)
    expect(problemsOf(text).length).toBe(1)
  })

  it('makes the locales of key cohorts canonical, as those of events', () => {
    expect(specOf(small('cohorts', '{ key: [{ locale: EN_us }] }')).cohorts.key).toEqual([
      { locale: 'en-US' },
    ])
  })

  it('allows no cohort dimensions at all', () => {
    expect(specOf(small('cohorts', '{ by: [] }')).cohorts).toEqual({ by: [], key: [] })
  })
})
