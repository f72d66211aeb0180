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
    route,
    generation,
    release_id,
    decided_at,
    action,
    phase,
    toUInt32(arraySum(share -> JSONExtractUInt(share, 'weight'), arrayFilter(share -> JSONExtractString(share, 'role') = 'canary', JSONExtractArrayRaw(traffic)))) AS canary_weight,
    toUInt32(arraySum(share -> JSONExtractUInt(share, 'weight'), arrayFilter(share -> JSONExtractString(share, 'role') = 'canary', JSONExtractArrayRaw(previous_traffic)))) AS previous_canary_weight,
    total_weight,
    arrayMap(reason -> JSONExtractString(reason, 'code'), JSONExtractArrayRaw(reasons)) AS reason_codes,
    arrayMap(reason -> JSONExtractString(reason, 'message'), JSONExtractArrayRaw(reasons)) AS reasons,
    parseDateTime64BestEffort(JSONExtractString(`window`, 'start'), 3, 'UTC') AS window_start,
    parseDateTime64BestEffort(JSONExtractString(`window`, 'end'), 3, 'UTC') AS window_end,
    JSONExtractUInt(counts, 'events') AS events,
    JSONExtractUInt(counts, 'duplicates') AS duplicates,
    JSONExtractUInt(counts, 'late') AS late,
    mode,
    decided_by
FROM
(
    SELECT *
    FROM decisions
    ORDER BY route, generation, recorded_at
    LIMIT 1 BY route, generation
)
COMMENT 'Decisions, one row a generation, with the nested parts spelled out'
