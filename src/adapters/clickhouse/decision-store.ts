import { z } from 'zod'
import { decisionToWire, decodeDecision, encodeDecision } from '../../contract/decision.ts'
import type { Decision } from '../../domain/decision.ts'
import type { DecisionStore } from '../../ports.ts'
import type { NamedQuery, SqlConnection, SqlValue } from './sql-connection.ts'
import { sqlTime } from './sql-text.ts'

type StoredDecision = { readonly decision: string }
const row = z.object({ decision: z.string() })

// An empty filter stands for all, a limit of 0 for none.
const DECISIONS: NamedQuery<StoredDecision> = {
  name: 'decisions',
  sql: `SELECT decision FROM (
    SELECT route, generation, decision FROM decisions
    WHERE ({route:String} = '' OR route = {route:String})
        AND ({release:String} = '' OR release_id = {release:String})
        AND generation > {after:UInt64}
    ORDER BY route, generation, recorded_at LIMIT 1 BY route, generation
)
ORDER BY generation, route LIMIT {limit:UInt64}`,
  row,
}

const LATEST: NamedQuery<StoredDecision> = {
  name: 'latest_decisions',
  sql: `SELECT decision FROM decisions
WHERE (route, generation) IN (
    SELECT route, max(generation) FROM decisions
    WHERE {route:String} = '' OR route = {route:String} GROUP BY route
)
ORDER BY route, recorded_at LIMIT 1 BY route`,
  row,
}

const NO_LIMIT = Number.MAX_SAFE_INTEGER

/** Recording a generation again changes nothing: the first row of a generation counts. */
export function createDecisionStore(sql: SqlConnection, recordTime: () => string): DecisionStore {
  return {
    async recordDecision(decision) {
      await sql.insertRows({
        name: 'record_decision',
        table: 'decisions',
        rows: [decisionRow(decision, recordTime())],
        nullable: ['expires_at'],
      })
    },

    async decisions(filter) {
      const rows = await sql.select(DECISIONS, {
        route: filter.route ?? '',
        release: filter.releaseId ?? '',
        after: filter.afterGeneration ?? 0,
        limit: filter.limit ?? NO_LIMIT,
      })
      return rows.map((stored) => decodeDecision(stored.decision))
    },

    async latestDecisions(route) {
      const rows = await sql.select(LATEST, { route: route ?? '' })
      return rows.map((stored) => decodeDecision(stored.decision))
    },
  }
}

function decisionRow(decision: Decision, recordedAt: string): Record<string, SqlValue> {
  const wire = decisionToWire(decision)
  return {
    ...wire,
    decided_at: sqlTime(decision.decidedAtMs),
    expires_at: decision.expiresAtMs === null ? null : sqlTime(decision.expiresAtMs),
    traffic: JSON.stringify(wire.traffic),
    previous_traffic: JSON.stringify(wire.previous_traffic),
    step: JSON.stringify(wire.step),
    reasons: JSON.stringify(wire.reasons),
    evidence: JSON.stringify(wire.evidence),
    window: JSON.stringify(wire.window),
    counts: JSON.stringify(wire.counts),
    policy: JSON.stringify(wire.policy),
    decision: encodeDecision(decision),
    recorded_at: recordedAt,
  }
}
