import { z } from 'zod'
import type { AckStore, RouterAck } from '../../ports.ts'
import type { NamedQuery, SqlConnection } from './sql-connection.ts'
import { sqlTime } from './sql-text.ts'

const ACKS: NamedQuery<RouterAck> = {
  name: 'router_acks',
  sql: `SELECT route, router_id AS routerId,
    argMax(applied_generation, (applied_at, applied_generation)) AS appliedGeneration,
    toUnixTimestamp64Milli(max(applied_at)) AS appliedAtMs
FROM router_acks WHERE route = {route:String}
GROUP BY route, router_id ORDER BY router_id`,
  row: z.object({
    route: z.string(),
    routerId: z.string(),
    appliedGeneration: z.int(),
    appliedAtMs: z.int(),
  }),
}

/** What routers say they applied; the one applied last is the newest of a router, in whatever order they come in. */
export function createAckStore(sql: SqlConnection): AckStore {
  return {
    async recordAcks(acks) {
      const rows = acks.map((ack) => ({
        route: ack.route,
        router_id: ack.routerId,
        applied_generation: ack.appliedGeneration,
        applied_at: sqlTime(ack.appliedAtMs),
      }))
      await sql.insertRows({ name: 'record_acks', table: 'router_acks', rows })
    },

    acks: (route) => sql.select(ACKS, { route }),
  }
}
