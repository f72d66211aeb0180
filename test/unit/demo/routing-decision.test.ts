import { describe, expect, it } from 'vitest'
import { parseRoutingDecision } from '../../../src/demo/routing-decision.ts'
import { decisionEvent, ROUTE } from './decisions.ts'

const parse = (value: object) => parseRoutingDecision(JSON.stringify(value))

describe('parseRoutingDecision', () => {
  it('takes what a router needs and passes over the rest', () => {
    expect(parse({ ...decisionEvent(7, 25), surprise: true, evidence: 'not a list' })).toEqual({
      route: ROUTE,
      releaseId: `${ROUTE}/1.2.0`,
      generation: 7,
      traffic: [
        { version: '1.1.0', role: 'stable', weight: 75 },
        { version: '1.2.0', role: 'canary', weight: 25 },
      ],
      totalWeight: 100,
      expiresAtMs: Date.UTC(2999, 0, 1),
      enforced: true,
    })
    expect(parse({ ...decisionEvent(7, 25), expires_at: null, mode: 'dry_run' })).toMatchObject({
      expiresAtMs: null,
      enforced: false,
    })
  })

  it('says in a sentence why a decision cannot be used', () => {
    expect(parseRoutingDecision('{')).toBe('the decision is not JSON')
    expect(parse({ ...decisionEvent(7, 25), total_weight: 90 })).toBe(
      'the weights of generation 7 add up to 100, not to 90',
    )
    expect(parse({ ...decisionEvent(7, 25), generation: '7' })).toContain('generation')
    expect(parse({ ...decisionEvent(7, 25), traffic: [{ version: 'x' }] })).toContain('traffic.0')
  })
})
