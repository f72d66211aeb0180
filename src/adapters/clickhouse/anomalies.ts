import { z } from 'zod'
import type { BlockStore } from '../../ports.ts'
import { LATE_EVENT, RESOLVED_VERSION } from './block-sql.ts'
import { FEEDBACK_LOOKBACK_MS } from './feedback-sql.ts'
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

// The same rule as for closing blocks, over the whole store.
const FEEDBACK: NamedQuery<{ late: number; unknown: number }> = {
  name: 'count_feedback',
  sql: `SELECT countIf(requests > 0 AND timely = 0) AS late, countIf(requests = 0) AS unknown
FROM (
    SELECT countIf(fits) AS requests, countIf(fits AND known < closed) AS timely
    FROM (
        SELECT kafka_topic, kafka_partition, kafka_offset,
            toUnixTimestamp64Milli(greatest(observed_at, arrival_watermark)) AS known, closed,
            closed > 0 AND toUnixTimestamp64Milli(observed_at) >= occurred - ${FEEDBACK_LOOKBACK_MS}
                AND (model_version = '' OR model_version = version) AS fits
        FROM (
            SELECT * FROM feedback_events
            WHERE model_name = {model:String} AND environment = {environment:String}
                AND quality_score_e6 IS NOT NULL
        ) AS feedback
        LEFT JOIN (
            SELECT request_id, toUnixTimestamp64Milli(occurred_at) AS occurred,
                ${BLOCK_START} + {length:Int64} + {delay:Int64} AS closed, ${RESOLVED_VERSION} AS version
            FROM request_events
            WHERE model_name = {model:String} AND environment = {environment:String} AND traffic = 'live'
        ) AS request USING (request_id)
    )
    GROUP BY kafka_topic, kafka_partition, kafka_offset
)`,
  row: z.object({ late: z.int(), unknown: z.int() }),
}

/** Counts over everything stored; meant for the store of a replay, not for a worker's. */
export function createAnomalyCounts(
  sql: SqlConnection,
): Pick<BlockStore, 'countAnomalies' | 'countFeedback'> {
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

    async countFeedback({ blocks, modelName: model, environment, stable, canary }) {
      const { lengthMs: length, watermarkMs: delay } = blocks
      const params = { model, environment, stable, canary, length, delay }
      const [counts] = await sql.select(FEEDBACK, params)
      return counts ?? { late: 0, unknown: 0 }
    },
  }
}
