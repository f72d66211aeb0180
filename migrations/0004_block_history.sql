-- breaking: no
-- undo: DROP TABLE block_history
CREATE TABLE IF NOT EXISTS block_history
(
    release_id LowCardinality(String) COMMENT 'Release the history belongs to',
    arm LowCardinality(String) COMMENT 'stable; empty for the one row that says the history was recorded',
    model_version LowCardinality(String) COMMENT 'Version of the baseline; empty where arm is',
    locale LowCardinality(String) COMMENT 'Locale of the cohort; empty when the release does not split by locale',
    device LowCardinality(String) COMMENT 'Device of the cohort; empty when the release does not split by device',
    range_start DateTime64(3, 'UTC') COMMENT 'Start of the range of request start times, included',
    range_end DateTime64(3, 'UTC') COMMENT 'End of the range, not included',
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
    writer UUID COMMENT 'The statement that wrote the row; of two writers the one that wrote first counts',
    closed_at DateTime64(6, 'UTC') COMMENT 'When the history was recorded'
)
ENGINE = MergeTree
ORDER BY (release_id, arm, locale, device)
COMMENT 'Totals of the baseline per cohort before a release: late events left out, duplicates counted as they are'
