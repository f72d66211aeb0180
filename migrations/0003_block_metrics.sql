-- breaking: no
-- undo: DROP TABLE block_metrics
--
-- All rows of a block are written by one statement into one partition as one part: after a crash a
-- block is there as a whole or not at all.
CREATE TABLE IF NOT EXISTS block_metrics
(
    release_id LowCardinality(String) COMMENT 'Release the block is judged for',
    block_start DateTime64(3, 'UTC') COMMENT 'Start of the block: request start times from here to block_length_ms later' CODEC(Delta(8), ZSTD(1)),
    block_length_ms UInt32 COMMENT 'Length of the block in milliseconds',
    arm LowCardinality(String) COMMENT 'stable, canary; empty for the one row of the block that holds events, duplicates and late',
    model_version LowCardinality(String) COMMENT 'Version of the arm; empty where arm is',
    locale LowCardinality(String) COMMENT 'Locale of the cohort; empty when the release does not split by locale',
    device LowCardinality(String) COMMENT 'Device of the cohort; empty when the release does not split by device',
    requests UInt64 COMMENT 'Requests that were not cancelled',
    errors UInt64 COMMENT 'Of requests: error, timeout, rejected',
    latencies UInt64 COMMENT 'Requests that count for latency: ok and timeout',
    over_limit Array(UInt64) COMMENT 'Latencies above each absolute latency limit of the release, limits ascending',
    latency_bins Array(Int16) COMMENT 'Histogram of latencies: bins, ascending; see request_events.latency_bin',
    latency_counts Array(UInt64) COMMENT 'Histogram of latencies: count of each of latency_bins',
    quality_n UInt64 COMMENT 'Requests with a quality score',
    quality_sum_e6 Int64 COMMENT 'Sum of quality scores, in millionths',
    quality_sum_squares_e12 Int128 COMMENT 'Sum of squared quality scores, in millionths of millionths',
    kpi_n Array(UInt64) COMMENT 'Requests that carry each KPI of the release, in the order the release first names them',
    kpi_sum_e6 Array(Int128) COMMENT 'Sum of each KPI, set to the nearer bound first, in millionths',
    kpi_sum_squares_e12 Array(Int128) COMMENT 'Sum of squares of each KPI, in millionths of millionths',
    events UInt64 COMMENT 'Stored events of the route in the block, of any version and traffic, duplicates and late ones included; 0 where arm is not empty',
    duplicates UInt64 COMMENT 'Of events: duplicates, not judged',
    late UInt64 COMMENT 'Of events: arrived in this block but belong to one already closed, not judged',
    late_canary UInt64 COMMENT 'Of late: events of the canary',
    writer UUID COMMENT 'The statement that wrote the row; of two writers of a block the one that closed it first counts',
    closed_at DateTime64(6, 'UTC') COMMENT 'When the block was closed' CODEC(Delta(8), ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toDate(block_start)
ORDER BY (release_id, block_start, arm, locale, device)
TTL toDateTime(closed_at) + INTERVAL 90 DAY DELETE
SETTINGS ttl_only_drop_parts = 1
COMMENT 'What the judge saw: one row per release, closed block, version and cohort, and one for the block. Written once. Kept 90 days'
