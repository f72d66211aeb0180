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
    total.release_id AS release_id,
    total.arm AS arm,
    total.model_version AS model_version,
    total.locale AS locale,
    total.device AS device,
    total.first_block AS first_block,
    total.last_block AS last_block,
    total.requests AS requests,
    total.errors AS errors,
    if(total.requests = 0, NULL, total.errors / total.requests) AS error_rate,
    multiIf(total.latencies = 0, NULL, total.bin = -32767, 0, total.bin = 32767, inf, pow(1.01, total.bin)) AS latency_p95_ms,
    if(total.quality_n = 0, NULL, total.quality_sum / total.quality_n / 1e6) AS quality,
    total.quality_n AS quality_n
FROM
(
    SELECT
        block.release_id AS release_id,
        block.arm AS arm,
        block.model_version AS model_version,
        block.locale AS locale,
        block.device AS device,
        min(block.block_start) AS first_block,
        max(block.block_start) AS last_block,
        sum(block.requests) AS requests,
        sum(block.errors) AS errors,
        sum(block.latencies) AS latencies,
        sumMap(block.latency_bins, block.latency_counts) AS histogram,
        histogram.1[arrayFirstIndex(below -> below >= 0.95 * latencies, arrayCumSum(histogram.2))] AS bin,
        sum(block.quality_sum_e6) AS quality_sum,
        sum(block.quality_n) AS quality_n
    FROM block_metrics AS block
    INNER JOIN
    (
        SELECT
            block_metrics.release_id AS release_id,
            block_metrics.block_start AS block_start,
            argMin(block_metrics.writer, (block_metrics.closed_at, block_metrics.writer)) AS writer
        FROM block_metrics
        GROUP BY block_metrics.release_id, block_metrics.block_start
    ) AS first ON first.release_id = block.release_id AND first.block_start = block.block_start AND first.writer = block.writer
    WHERE block.arm != ''
    GROUP BY block.release_id, block.arm, block.model_version, block.locale, block.device
) AS total
COMMENT 'What each version did in each cohort over the closed blocks of a release'
