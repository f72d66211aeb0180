-- breaking: no
-- undo: DROP TABLE evaluations
CREATE TABLE IF NOT EXISTS evaluations
(
    release_id LowCardinality(String) COMMENT 'Release',
    window_end DateTime64(3, 'UTC') COMMENT 'End of the newest block the numbers include' CODEC(Delta(8), ZSTD(1)),
    metric LowCardinality(String) COMMENT 'Metric of the guardrail',
    metric_limit LowCardinality(String) COMMENT 'Limit as the release file writes it',
    locale LowCardinality(String) COMMENT 'Locale of the cohort; empty stands for all',
    device LowCardinality(String) COMMENT 'Device of the cohort; empty stands for all; both empty: overall',
    verdict LowCardinality(String) COMMENT 'within_limit, breached, undecided, collecting, no_data',
    method LowCardinality(String) COMMENT 'Which test spoke',
    severity LowCardinality(String) COMMENT 'critical may roll back, signal may only hold',
    dry_run Bool COMMENT 'Judged and shown, decides nothing',
    required Bool COMMENT 'Must pass before traffic may increase',
    stable_value Nullable(Float64) COMMENT 'Metric of the stable version: ms for latencies, else 0 to 1 or the unit of the KPI',
    stable_n Float64 COMMENT 'Requests behind stable_value',
    canary_value Nullable(Float64) COMMENT 'Metric of the canary',
    canary_n Float64 COMMENT 'Requests behind canary_value',
    difference Nullable(Float64) COMMENT 'canary minus stable in the unit of the limit (10 % = 0.10)',
    ci_low Nullable(Float64) COMMENT 'Lower end of the interval of difference',
    ci_high Nullable(Float64) COMMENT 'Upper end of the interval of difference',
    threshold Float64 COMMENT 'The limit in the unit of the values',
    log_e_breach Float64 COMMENT 'Natural logarithm of the evidence that the limit is breached',
    log_e_pass Float64 COMMENT 'Natural logarithm of the evidence that the limit is kept',
    weight Float64 COMMENT 'Weight in the evidence of the release; 0 for dry runs',
    needs_requests Nullable(Float64) COMMENT 'Further canary requests until a pass can be known',
    needs_seconds Nullable(Float64) COMMENT 'The same in seconds at the present rate',
    contribution Nullable(Float64) COMMENT 'Part of the cohort in the standardised difference',
    recorded_at DateTime64(6, 'UTC') COMMENT 'When the row was written' CODEC(Delta(8), ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toDate(window_end)
ORDER BY (release_id, window_end, metric, metric_limit, locale, device)
TTL toDateTime(recorded_at) + INTERVAL 90 DAY DELETE
SETTINGS ttl_only_drop_parts = 1
COMMENT 'What the judge said at each block end, per guardrail and cohort; for analysts, the worker never reads it. Kept 90 days'
