import { z } from 'zod'
import type { BlockStore } from '../../ports.ts'
import { LATE_EVENT, RESOLVED_VERSION } from './block-sql.ts'
import type { NamedQuery, SqlConnection } from './sql-connection.ts'

const BLOCK_START = 'intDiv(toUnixTimestamp64Milli(occurred_at), {length:Int64}) * {length:Int64}'

const LATE: NamedQuery<{ late: number }> = {
  name: 'count_late',
  sql: `SELECT countIf(${LATE_EVENT}) AS late FROM request_events`,
  row: z.object({ late: z.int() }),
}

// A variant names a version only on the route of the release.
const VERSION = `if(model_name = {model:String} AND environment = {environment:String},
            (${RESOLVED_VERSION}, ''), (toString(model_version), toString(variant)))`

// The same rule as for closing blocks, over the whole store and every route.
const DUPLICATES: NamedQuery<{ duplicates: number }> = {
  name: 'count_duplicates',
  sql: `SELECT countIf(place > 1 AND before_ms >= block_ms - {lookback:Int64}) AS duplicates
FROM (
    SELECT ${BLOCK_START} AS block_ms,
        row_number() OVER request AS place,
        any(toUnixTimestamp64Milli(occurred_at)) OVER (request ROWS BETWEEN 1 PRECEDING AND 1 PRECEDING) AS before_ms
    FROM request_events
    WHERE NOT (${LATE_EVENT}) AND request_hash IN (
        SELECT request_hash FROM request_events WHERE NOT (${LATE_EVENT})
        GROUP BY request_hash HAVING count() > 1
    )
    WINDOW request AS (
        PARTITION BY model_name, environment, ${VERSION}, traffic, request_id
        ORDER BY occurred_at, kafka_partition, kafka_offset
    )
)`,
  row: z.object({ duplicates: z.int() }),
}

/** Counts over everything stored; meant for the store of a replay, not for a worker's. */
export function createAnomalyCounts(sql: SqlConnection): Pick<BlockStore, 'countAnomalies'> {
  return {
    async countAnomalies(spec) {
      const { lengthMs: length, watermarkMs: delay, duplicateLookbackMs: lookback } = spec.blocks
      const [late] = await sql.select(LATE, { length, delay })
      const [duplicates] = await sql.select(DUPLICATES, {
        ...{ length, delay, lookback },
        model: spec.modelName,
        environment: spec.environment,
        stable: spec.stable,
        canary: spec.canary,
      })
      return { duplicates: duplicates?.duplicates ?? 0, late: late?.late ?? 0 }
    },
  }
}
