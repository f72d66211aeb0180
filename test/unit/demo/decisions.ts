export const ROUTE = 'language-identifier/production'

/** A decision event with what a router reads; anything can be replaced. */
export function decisionEvent(generation: number, canaryWeight: number, other: object = {}) {
  return {
    route: ROUTE,
    release_id: `${ROUTE}/1.2.0`,
    generation,
    traffic: [
      { version: '1.1.0', role: 'stable', weight: 100 - canaryWeight },
      { version: '1.2.0', role: 'canary', weight: canaryWeight },
    ],
    total_weight: 100,
    expires_at: '2999-01-01T00:00:00.000Z' as string | null,
    mode: 'enforced',
    ...other,
  }
}
