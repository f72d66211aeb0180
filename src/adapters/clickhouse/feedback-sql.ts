/**
 * How long before the start of its request feedback may have been observed, by clocks that differ. A
 * request id that is used again does not get the feedback of the request before.
 */
export const FEEDBACK_LOOKBACK_MS = 600_000

const FROM = "fromUnixTimestamp64Milli({from:Int64}, 'UTC')"
const TO = "fromUnixTimestamp64Milli({to:Int64}, 'UTC')"
const OBSERVED_FROM = `fromUnixTimestamp64Milli(greatest({scored_from:Int64} - ${FEEDBACK_LOOKBACK_MS}, 0), 'UTC')`
const CLOSED = "fromUnixTimestamp64Milli({to:Int64} + {delay:Int64}, 'UTC')"
const ROUTE = 'model_name = {model:String} AND environment = {environment:String}'

/**
 * Scores that may count for a request of the range from `scored_from` on; further parameters model,
 * environment, to, delay.
 */
export const SCORES_OF_RANGE = `quality_score_e6 IS NOT NULL AND ${ROUTE}
    AND observed_at >= ${OBSERVED_FROM} AND observed_at < ${CLOSED} AND arrival_watermark < ${CLOSED}`

/**
 * The scores of each request, earliest first: (observed, place, when it was known, version, score).
 * What was known in time differs from block to block.
 */
const scoresOf = (requests: string) => `SELECT request_id, arraySort(groupArray((
        toUnixTimestamp64Milli(observed_at), kafka_partition, kafka_offset,
        toUnixTimestamp64Milli(greatest(observed_at, arrival_watermark)),
        toString(model_version), quality_score_e6))) AS scores
    FROM feedback_events
    WHERE ${SCORES_OF_RANGE}${requests}
    GROUP BY request_id`

/** Only requests of the range that have no score of their own: a set that a block's requests fit into. */
const UNSCORED = ` AND request_id IN (
        SELECT request_id FROM request_events
        WHERE ${ROUTE} AND occurred_at >= ${FROM} AND occurred_at < ${TO}
            AND traffic = 'live' AND quality_score_e6 IS NULL)`

const VERSION = "multiIf(arm = 1, {stable:String}, arm = 2, {canary:String}, '')"
const COUNTS = `occurred_ms >= {scored_from:Int64} AND known < (block + 1) * {length:Int64} + {delay:Int64} AND observed >= occurred_ms - ${FEEDBACK_LOOKBACK_MS}
        AND (version = '' OR version = ${VERSION})`

/** Further columns `withFeedback` needs of the events. */
export const FEEDBACK_KEYS = 'request_id, toUnixTimestamp64Milli(occurred_at) AS occurred_ms'

/**
 * The events, each with its own quality score, else the earliest of the feedback that came in time
 * for its block. What came in time is a property of the two rows: observed, and by its partition's
 * order known, before the end of the block plus the watermark delay. Blocks
 * look for the feedback of their requests, few among all; a history takes all there is.
 */
export function withFeedback(events: string, range: 'blocks' | 'history'): string {
  return `SELECT * EXCEPT (own_score_e6, request_id, occurred_ms, scores),
        ifNull(own_score_e6, arrayFilter((score, observed, known, version) -> ${COUNTS},
            scores.6, scores.1, scores.4, scores.5)[1]) AS quality_score_e6
    FROM (SELECT * EXCEPT (quality_score_e6), quality_score_e6 AS own_score_e6 FROM (${events})) AS event
    LEFT JOIN (${scoresOf(range === 'blocks' ? UNSCORED : '')}) AS feedback USING (request_id)`
}
