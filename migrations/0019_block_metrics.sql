-- breaking: no
-- undo: ALTER TABLE block_metrics DROP COLUMN cancelled, DROP COLUMN sample_rate_low, DROP COLUMN sample_rate_high, DROP COLUMN users
--
-- Rows from before have no users, and a sample rate of 0: not known.
ALTER TABLE block_metrics
    ADD COLUMN IF NOT EXISTS cancelled UInt64 COMMENT 'Requests that were cancelled: assigned to the version, not judged' AFTER kpi_sum_squares_e12,
    ADD COLUMN IF NOT EXISTS sample_rate_low Float64 COMMENT 'Smallest sample_rate of requests; 0 when not known' AFTER cancelled,
    ADD COLUMN IF NOT EXISTS sample_rate_high Float64 COMMENT 'Largest sample_rate of requests; 0 when not known' AFTER sample_rate_low,
    ADD COLUMN IF NOT EXISTS users String COMMENT 'Of requests that name a session, by b = cityHash64(session_id) % 64; lists with a space between them, numbers with a comma: each b, ascending; then per b requests; errors (empty: all 0); latencies (empty: as requests); over each absolute limit (empty: all 0); in a higher bin than the baseline quantile of each relative latency guardrail, once it is known (empty: all 0); with quality score (empty: as requests); sum of scores in millionths (empty: all 0); the last two again for each KPI. Empty when no request names one' CODEC(ZSTD(1)) AFTER sample_rate_high
