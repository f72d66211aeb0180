-- breaking: no
-- undo: DROP TABLE decisions
CREATE TABLE IF NOT EXISTS decisions
(
    decision_id String COMMENT 'The same for the same decision',
    route LowCardinality(String) COMMENT 'model_name/environment',
    release_id String COMMENT 'Release',
    generation UInt64 COMMENT 'Grows by one with every decision of the route',
    decided_at DateTime64(3, 'UTC') COMMENT 'When it was decided',
    expires_at Nullable(DateTime64(3, 'UTC')) COMMENT 'After it routers keep the last applied weights; null after the last decision',
    action LowCardinality(String) COMMENT 'increase, hold or rollback',
    phase LowCardinality(String) COMMENT 'pending, shadow, ramping, paused, promoted, rolled_back or aborted',
    model_name LowCardinality(String) COMMENT 'Name of the model',
    environment LowCardinality(String) COMMENT 'Where the model serves',
    stable_version LowCardinality(String) COMMENT 'Version the canary is compared with',
    canary_version LowCardinality(String) COMMENT 'Version under test',
    traffic String COMMENT 'JSON: the complete desired weights, [{version, role, weight}]' CODEC(ZSTD(3)),
    previous_traffic String COMMENT 'JSON: the weights before' CODEC(ZSTD(3)),
    total_weight UInt32 COMMENT 'What the weights sum to',
    step String COMMENT 'JSON: {index, count, weight, started_at, min_duration_s, min_requests}' CODEC(ZSTD(3)),
    reasons String COMMENT 'JSON: [{code, severity, metric, cohort, message}]' CODEC(ZSTD(3)),
    evidence String COMMENT 'JSON: observed against limit, per guardrail and cohort' CODEC(ZSTD(3)),
    `window` String COMMENT 'JSON: {start, end, watermark} of the request start times judged' CODEC(ZSTD(3)),
    counts String COMMENT 'JSON: {events, duplicates, late} of the closed blocks of the release' CODEC(ZSTD(3)),
    mode LowCardinality(String) COMMENT 'enforced or dry_run',
    decided_by String COMMENT 'Who decided',
    policy String COMMENT 'JSON: {name, hash} of the rules' CODEC(ZSTD(3)),
    judge_version LowCardinality(String) COMMENT 'Version of the judge',
    decision String COMMENT 'JSON: the whole decision, byte for byte as it is published' CODEC(ZSTD(3)),
    recorded_at DateTime64(6, 'UTC') COMMENT 'When the row was written; the first row of a generation counts'
)
ENGINE = MergeTree
ORDER BY (route, generation, recorded_at)
COMMENT 'Every decision, recorded before it is published. Kept for ever'
