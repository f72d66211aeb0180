import { describe, expect, it } from 'vitest'
import { parseReleaseFile } from '../../../src/contract/release-file.ts'
import { DEMO_ROUTE, RELEASE_A, RELEASE_B } from '../../../src/demo/releases.ts'

describe.each([
  { release: RELEASE_A, canary: '1.0.0' },
  { release: RELEASE_B, canary: '1.2.0' },
])('release $release.name', ({ release, canary }) => {
  it('is a valid release file from 1.1.0 to its canary, in three steps', () => {
    const result = parseReleaseFile(release.source, { fileName: release.fileName })
    if ('problems' in result) throw new Error(JSON.stringify(result.problems))
    expect(result.spec).toMatchObject({ route: DEMO_ROUTE, stable: '1.1.0', canary })
    expect(release.canary).toBe(canary)
    expect(result.spec.plan.map((step) => step.weight)).toEqual([5, 25, 50])
    expect(
      result.spec.guardrails.map(({ metric, written }) => `${metric.name} ${written}`),
    ).toEqual([
      'latency_p95 max: 10ms',
      'latency_p90 max_increase: 100%',
      'error_rate max: 2%',
      'quality max_drop: 0.02',
    ])
  })
})

it('judges both releases by the same limits', () => {
  expect(RELEASE_B.source).toBe(RELEASE_A.source.replace('canary: 1.0.0', 'canary: 1.2.0'))
})
