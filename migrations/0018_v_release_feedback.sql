-- breaking: no
-- undo: DROP VIEW v_release_feedback
CREATE VIEW IF NOT EXISTS v_release_feedback
(
    release_id String COMMENT 'Release',
    scores UInt64 COMMENT 'Feedback with a score about requests that started at or after the release',
    in_time UInt64 COMMENT 'Of scores: known before the block of the request was closed, so that it may have been judged',
    late UInt64 COMMENT 'Of scores: known later, never judged; a longer blocks.watermark would let them count',
    other_version UInt64 COMMENT 'Of scores: name another version than the one that answered, never judged',
    mean_delay_s Nullable(Float64) COMMENT 'Mean seconds from the start of the request until the score was known; blocks.watermark should be at least twice that',
    p95_delay_s Nullable(Float64) COMMENT '95 % of the scores were known within so many seconds'
)
AS SELECT
    release.release_id AS release_id,
    count() AS scores,
    countIf(feedback.own AND feedback.known_ms < (intDiv(feedback.occurred_ms, release.length_ms) + 1) * release.length_ms + release.watermark_ms) AS in_time,
    countIf(feedback.own AND feedback.known_ms >= (intDiv(feedback.occurred_ms, release.length_ms) + 1) * release.length_ms + release.watermark_ms) AS late,
    countIf(NOT feedback.own) AS other_version,
    avg(feedback.delay_s) AS mean_delay_s,
    quantileExact(0.95)(feedback.delay_s) AS p95_delay_s
FROM
(
    SELECT
        releases.release_id AS release_id,
        releases.model_name AS model_name,
        releases.environment AS environment,
        argMin(releases.started_at, releases.recorded_at) AS started_at,
        argMin(JSONExtractInt(releases.spec, 'blocks', 'lengthMs'), releases.recorded_at) AS length_ms,
        argMin(JSONExtractInt(releases.spec, 'blocks', 'watermarkMs'), releases.recorded_at) AS watermark_ms
    FROM releases
    GROUP BY releases.release_id, releases.model_name, releases.environment
) AS release
INNER JOIN
(
    SELECT
        v_feedback.model_name AS model_name,
        v_feedback.environment AS environment,
        v_feedback.delay_s AS delay_s,
        assumeNotNull(v_feedback.occurred_at) AS occurred_at,
        toUnixTimestamp64Milli(assumeNotNull(v_feedback.occurred_at)) AS occurred_ms,
        toUnixTimestamp64Milli(v_feedback.known_at) AS known_ms,
        v_feedback.model_version = '' OR v_feedback.answered_by = '' OR v_feedback.model_version = v_feedback.answered_by AS own
    FROM v_feedback
    WHERE v_feedback.quality_score IS NOT NULL AND v_feedback.occurred_at IS NOT NULL
) AS feedback ON feedback.model_name = release.model_name AND feedback.environment = release.environment
WHERE feedback.occurred_at >= release.started_at
GROUP BY release.release_id
COMMENT 'Which share of the feedback came in time to be judged, per release, and how long labels take'
