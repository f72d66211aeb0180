import { describe, expect, it } from 'vitest'
import type { WireDecision } from '../../../src/contract/decision.ts'
import {
  type ArmModel,
  generateEvents,
  type StreamCohort,
  type StreamOptions,
  toLines,
} from '../../support/event-generator.ts'
import { START_MS } from './mixed-stream.ts'
import { useReplay } from './replay-run.ts'

const EVENTS = 60_000
const DURATION_MS = 600_000
const SEEDS = [401, 402]

describe('a canary', () => {
  const { replay } = useReplay()

  /** The last decision about a canary that differs from the stable version by `change`. */
  const judge = async (
    seed: number,
    change: (cohort: StreamCohort) => Partial<ArmModel>,
    options: Partial<StreamOptions> = {},
  ): Promise<WireDecision> => {
    const lines = toLines(
      generateEvents({
        ...{ seed, events: EVENTS, startMs: START_MS, durationMs: DURATION_MS, canaryShare: 0.3 },
        effect: (arm, cohort) => (arm === 'canary' ? change(cohort) : {}),
        ...options,
      }),
    )
    const { decisions } = await replay({ events: lines })
    return decisions.at(-1) as WireDecision
  }

  it.each([
    ['errors in 2 % of the answers instead of 0.5 %', 'error_rate', { errorRate: 0.02 }],
    ['a p95 half as long again', 'latency_p95', { latencyScale: 1.5 }],
    ['a quality lower by 0.03', 'quality', { qualityMean: 0.83 }],
  ])('with %s is rolled back for its %s', async (_, metric, change) => {
    for (const seed of SEEDS) {
      const last = await judge(seed, () => change)
      expect(last).toMatchObject({ action: 'rollback', phase: 'rolled_back' })
      expect(last.reasons[0]).toMatchObject({
        code: `${metric}_breached`,
        severity: 'critical',
        metric,
      })
    }
  })

  it('that is slow for one cohort of 5 % of the traffic is rolled back for that cohort', async () => {
    const hit = { locale: 'fr-FR', device: 'desktop' }
    for (const seed of SEEDS) {
      const last = await judge(seed, ({ locale, device }) =>
        locale === hit.locale && device === hit.device ? { latencyScale: 1.8 } : {},
      )
      expect(last).toMatchObject({ action: 'rollback', phase: 'rolled_back' })
      expect(last.reasons[0]).toMatchObject({ code: 'latency_p95_breached', cohort: hit })
    }
  })

  it('that is 15 % faster with as many errors is promoted', async () => {
    for (const seed of SEEDS) {
      const last = await judge(seed, () => ({ latencyScale: 0.85 }))
      expect(last).toMatchObject({ action: 'increase', phase: 'promoted' })
    }
  })
})
