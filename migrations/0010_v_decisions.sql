-- breaking: no
-- undo: DROP VIEW v_decisions
CREATE VIEW IF NOT EXISTS v_decisions
(
    route String COMMENT 'model_name/environment',
    generation UInt64 COMMENT 'Grows by one with every decision of the route',
    release_id String COMMENT 'Release',
    decided_at DateTime64(3, 'UTC') COMMENT 'When it was decided',
    action String COMMENT 'increase, hold or rollback',
    phase String COMMENT 'pending, shadow, ramping, paused, promoted, rolled_back or aborted',
    canary_weight UInt32 COMMENT 'Weight the canary should have',
    previous_canary_weight UInt32 COMMENT 'Weight it had before',
    total_weight UInt32 COMMENT 'What the weights sum to',
    reason_codes Array(String) COMMENT 'Codes of the reasons',
    reasons Array(String) COMMENT 'Reasons as sentences',
    window_start DateTime64(3, 'UTC') COMMENT 'Start of the request start times judged',
    window_end DateTime64(3, 'UTC') COMMENT 'End of the request start times judged',
    events UInt64 COMMENT 'Events in the closed blocks of the release',
    duplicates UInt64 COMMENT 'Of events: duplicates',
    late UInt64 COMMENT 'Of events: came late',
    mode String COMMENT 'enforced or dry_run',
    decided_by String COMMENT 'Who decided'
)
AS SELECT
    stored.route AS route,
    stored.generation AS generation,
    stored.release_id AS release_id,
    stored.decided_at AS decided_at,
    stored.action AS action,
    stored.phase AS phase,
    toUInt32(arraySum(share -> JSONExtractUInt(share, 'weight'), arrayFilter(share -> JSONExtractString(share, 'role') = 'canary', JSONExtractArrayRaw(stored.traffic)))) AS canary_weight,
    toUInt32(arraySum(share -> JSONExtractUInt(share, 'weight'), arrayFilter(share -> JSONExtractString(share, 'role') = 'canary', JSONExtractArrayRaw(stored.previous_traffic)))) AS previous_canary_weight,
    stored.total_weight AS total_weight,
    arrayMap(reason -> JSONExtractString(reason, 'code'), JSONExtractArrayRaw(stored.reasons)) AS reason_codes,
    arrayMap(reason -> JSONExtractString(reason, 'message'), JSONExtractArrayRaw(stored.reasons)) AS reasons,
    parseDateTime64BestEffort(JSONExtractString(stored.`window`, 'start'), 3, 'UTC') AS window_start,
    parseDateTime64BestEffort(JSONExtractString(stored.`window`, 'end'), 3, 'UTC') AS window_end,
    JSONExtractUInt(stored.counts, 'events') AS events,
    JSONExtractUInt(stored.counts, 'duplicates') AS duplicates,
    JSONExtractUInt(stored.counts, 'late') AS late,
    stored.mode AS mode,
    stored.decided_by AS decided_by
FROM
(
    SELECT *
    FROM decisions
    ORDER BY decisions.route, decisions.generation, decisions.recorded_at
    LIMIT 1 BY decisions.route, decisions.generation
) AS stored
COMMENT 'Decisions, one row a generation, with the nested parts spelled out'
