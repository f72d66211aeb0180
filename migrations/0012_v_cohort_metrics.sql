-- breaking: no
-- undo: DROP VIEW v_cohort_metrics
CREATE VIEW IF NOT EXISTS v_cohort_metrics
(
    release_id String COMMENT 'Release',
    arm String COMMENT 'stable or canary',
    model_version String COMMENT 'Version of the arm',
    locale String COMMENT 'Locale of the cohort; empty when the release does not split by locale',
    device String COMMENT 'Device of the cohort; empty when the release does not split by device',
    first_block DateTime64(3, 'UTC') COMMENT 'Start of the first block with requests of the cohort',
    last_block DateTime64(3, 'UTC') COMMENT 'Start of the last block with requests of the cohort',
    requests UInt64 COMMENT 'Judged requests that were not cancelled',
    errors UInt64 COMMENT 'Of requests: error, timeout, rejected',
    error_rate Nullable(Float64) COMMENT 'errors / requests, 0 to 1',
    latency_p95_ms Nullable(Float64) COMMENT '95 % of the latencies are not above it: upper edge of the histogram bin, at most 1 % too high; infinite when more than 5 % are timeouts without latency',
    quality Nullable(Float64) COMMENT 'Mean quality score, 0 to 1',
    quality_n UInt64 COMMENT 'Requests with a quality score'
)
AS SELECT
    release_id,
    arm,
    model_version,
    locale,
    device,
    min(block_start) AS first_block,
    max(block_start) AS last_block,
    sum(block_metrics.requests) AS requests,
    sum(block_metrics.errors) AS errors,
    if(requests = 0, NULL, errors / requests) AS error_rate,
    sumMap(latency_bins, latency_counts) AS histogram,
    arraySum(histogram.2) AS counted,
    histogram.1[arrayFirstIndex(below -> below >= 0.95 * counted, arrayCumSum(histogram.2))] AS bin,
    multiIf(counted = 0, NULL, bin = -32767, 0, bin = 32767, inf, pow(1.01, bin)) AS latency_p95_ms,
    if(quality_n = 0, NULL, sum(quality_sum_e6) / quality_n / 1e6) AS quality,
    sum(block_metrics.quality_n) AS quality_n
FROM block_metrics
INNER JOIN
(
    SELECT
        release_id,
        block_start,
        argMin(writer, (closed_at, writer)) AS writer
    FROM block_metrics
    GROUP BY release_id, block_start
) AS first_writer USING (release_id, block_start, writer)
WHERE arm != ''
GROUP BY release_id, arm, model_version, locale, device
COMMENT 'What each version did in each cohort over the closed blocks of a release'
