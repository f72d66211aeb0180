export const DEMO_ROUTE = 'language-identifier/production'
export const DEMO_STABLE = '1.1.0'

export interface DemoRelease {
  readonly name: 'A' | 'B'
  readonly canary: string
  /** `<name>.yaml`, for messages that name a file. */
  readonly fileName: string
  /** The release file, YAML. */
  readonly source: string
}

/** Back to the light build: it knows 24 languages, and neither Czech nor Danish is one of them. */
export const RELEASE_A: DemoRelease = releaseOf('A', '1.0.0')

/** On to the heavy build: as many languages, larger tables. */
export const RELEASE_B: DemoRelease = releaseOf('B', '1.2.0')

/**
 * Both releases have the same plan and limits; only the canary differs. A call takes about 0.1 ms.
 * At 5 % of the traffic the heavy build is called 75 times a second and finds its tables thrown out
 * of the processor's cache: its p90 and p95 are then 20 to 45 % above those of 1.1.0, at 50 % the p90
 * is still 14 to 20 % above. The relative limit leaves room for that. It is on the p90 because on a busy machine
 * one call in twenty is interrupted by other processes, and then the p95 measures them and not the
 * model. The absolute limit lies above the 4 ms that such an interruption takes at least. Blocks are
 * short because a machine whose speed comes and goes makes the judge ask for a hundred of them a step.
 */
function releaseOf(name: 'A' | 'B', canary: string): DemoRelease {
  return {
    name,
    canary,
    fileName: `release-${name.toLowerCase()}.yaml`,
    source: `route: ${DEMO_ROUTE}
stable: ${DEMO_STABLE}
canary: ${canary}
plan:
  - { weight: 5,  min_duration: 12s, min_requests: 800 }
  - { weight: 25, min_duration: 12s }
  - { weight: 50, min_duration: 12s }
guardrails:
  - { metric: latency_p95, max: 10ms }
  - { metric: latency_p90, max_increase: 100% }
  - { metric: error_rate,  max: 2% }
  - { metric: quality,     max_drop: 0.02 }
cohorts: { by: [locale, device], key: [{ locale: en-US }] }
blocks: { length: 200ms, watermark: 1s }
warmup: 0s
heartbeat: 5s
max_duration: 10m
`,
  }
}
