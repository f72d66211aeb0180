import { describe, expect, it } from 'vitest'
import { EN } from '../judge/judge-builders.ts'
import {
  block,
  blocks,
  type Cell,
  codesOf,
  historyOf,
  judged,
  type Look,
  onlyErrors,
  releaseOf,
  sound,
} from './bad-input-release.ts'

/** Canary requests of the key cohort at the last look before traffic grew, and at that one. */
function requestsAtIncrease(looks: readonly Look[]): [before: number, at: number] {
  const at = looks.findIndex(({ decision }) => decision.action === 'increase')
  const requests = (look: Look | undefined) =>
    look?.assessment.rows.find(({ cohort }) => cohort !== 'overall' && cohort.locale === EN.locale)
      ?.canary.n ?? 0
  return [requests(looks[at - 1]), requests(looks[at])]
}

describe('extremes that exact counts can tell', () => {
  const small = (change: Partial<Cell>) =>
    blocks(60, (k) =>
      block(
        k,
        { stable: { requests: 180, ...change }, canary: { requests: 20, ...change } },
        { stable: { requests: 1800, ...change }, canary: { requests: 200, ...change } },
      ),
    )

  it('no error passes 0.8 % after the 652 requests it takes, 0 ms passes a p95 after 103', () => {
    const noErrors = judged(releaseOf('error max'), small({}), historyOf({}))
    expect(requestsAtIncrease(noErrors)).toEqual([640, 660])
    const noLatency = judged(releaseOf('p95 max'), small({ latencyMs: 0 }))
    expect(requestsAtIncrease(noLatency)).toEqual([100, 120])
  })

  it('one and the same good score passes a least score after two blocks at the earliest', () => {
    for (const kind of ['quality min', 'kpi min'] as const) {
      const looks = judged(
        releaseOf(kind),
        blocks(3, (k) => sound(k, { score: 1, sales: 90 })),
      )
      expect(looks.map(({ decision }) => decision.action).slice(0, 2)).toEqual(['hold', 'increase'])
    }
  })

  it.each([
    ['error max', { errors: 20 }, 'error_rate_breached'],
    ['p95 max', { latencyMs: 1e6 }, 'latency_p95_breached'],
    ['quality min', { score: 0 }, 'quality_breached'],
    ['kpi min', { sales: -10 }, 'kpi.sales_breached'],
  ] as const)(
    'a canary beyond what %s allows, like the stable version, goes back',
    (kind, bad, code) => {
      const looks = judged(
        releaseOf(kind),
        blocks(60, (k) =>
          block(k, { stable: { requests: 20, ...bad }, canary: { requests: 20, ...bad } }),
        ),
      )
      const last = looks.at(-1) as Look
      expect(looks.length).toBeGreaterThanOrEqual(2)
      expect(last.decision.phase).toBe('rolled_back')
      expect(codesOf(last)).toEqual([code])
      expect(last.decision.reasons[0]?.message).toContain('against')
    },
  )

  it('nothing but errors in both versions is never a pass of a difference', () => {
    const looks = judged(releaseOf('error pp'), blocks(200, onlyErrors))
    expect(new Set(looks.map(({ decision }) => decision.action))).toEqual(new Set(['hold']))
  })
})
