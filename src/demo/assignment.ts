import type { TrafficShare } from '../domain/decision.ts'
import { hashWord, seedOf, unitOf } from './hash.ts'

/** Says which version serves a user (a whole number). */
export type Assignment = (user: number) => TrafficShare

/**
 * Splits users by hash. The canary takes the users whose hash is below its share, the stable version
 * all others: while the canary's weight only grows, none of its users goes back to stable. `salt`
 * (the release) makes the split independent of the one of other releases, so that the same people
 * are not canary users every time.
 */
export function createAssignment(options: {
  readonly traffic: readonly TrafficShare[]
  readonly totalWeight: number
  readonly salt: string
}): Assignment {
  const { traffic, totalWeight } = options
  const stable = traffic.find((share) => share.role === 'stable')
  const canary = traffic.find((share) => share.role === 'canary')
  const fallback = stable ?? canary
  if (fallback === undefined) throw new RangeError('traffic names no version')
  if (canary === undefined || canary === fallback) return () => fallback
  const canaryShare = canary.weight / totalWeight
  const seed = seedOf(`demo assignment ${options.salt}`)
  return (user) => (unitOf(hashWord(user, seed)) < canaryShare ? canary : fallback)
}
