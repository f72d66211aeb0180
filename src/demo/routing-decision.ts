import type { z } from 'zod'
import { decisionSchema } from '../contract/decision.ts'
import type { TrafficShare } from '../domain/decision.ts'

/** What a router needs of a decision. */
export interface RoutingDecision {
  readonly route: string
  readonly releaseId: string
  readonly generation: number
  /** The complete desired state; adds up to `totalWeight`. */
  readonly traffic: readonly TrafficShare[]
  readonly totalWeight: number
  /** Unix ms; null when the decision holds until another release begins. */
  readonly expiresAtMs: number | null
  /** False for a dry run: shown, not applied. */
  readonly enforced: boolean
}

/** A router must go on working when the rest of the decision changes: it reads these fields only. */
const routingSchema = decisionSchema.pick({
  route: true,
  release_id: true,
  generation: true,
  traffic: true,
  total_weight: true,
  expires_at: true,
  mode: true,
})

/** Reads the JSON of a decision event; other fields are passed over. A sentence says what is wrong. */
export function parseRoutingDecision(json: string): RoutingDecision | string {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch {
    return 'the decision is not JSON'
  }
  const result = routingSchema.safeParse(value)
  if (!result.success) return `the decision is not valid: ${describeIssue(result.error)}`
  const { data } = result
  const sum = data.traffic.reduce((total, share) => total + share.weight, 0)
  if (sum !== data.total_weight) {
    return `the weights of generation ${data.generation} add up to ${sum}, not to ${data.total_weight}`
  }
  return {
    route: data.route,
    releaseId: data.release_id,
    generation: data.generation,
    traffic: data.traffic,
    totalWeight: data.total_weight,
    expiresAtMs: data.expires_at === null ? null : Date.parse(data.expires_at),
    enforced: data.mode === 'enforced',
  }
}

function describeIssue(error: z.ZodError): string {
  const [issue] = error.issues
  return issue === undefined ? 'unknown' : `${issue.path.join('.')}: ${issue.message}`
}
