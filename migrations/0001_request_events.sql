-- breaking: no
-- undo: DROP TABLE request_events
--
-- ORDER BY starts with the hour so that the newest minutes of every cohort lie together; the minmax
-- indexes find rows by place in Kafka (recovery) and by arrival (late events). request_hash leaves
-- the version out: an event may name its version by variant alone, and both spellings are one request.
-- The TTL counts from insertion, so that a recording of last year can be replayed today.
CREATE TABLE IF NOT EXISTS request_events
(
    kafka_topic LowCardinality(String) COMMENT 'Topic the record came from',
    kafka_partition UInt32 COMMENT 'Partition of the record' CODEC(ZSTD(1)),
    kafka_offset UInt64 COMMENT 'Offset of the record in its partition; with topic and partition it identifies a row' CODEC(Delta(8), ZSTD(1)),
    kafka_timestamp DateTime64(3, 'UTC') COMMENT 'Timestamp of the record' CODEC(Delta(8), ZSTD(1)),
    arrival_watermark DateTime64(3, 'UTC') COMMENT 'Largest event time of the partition before this record, each capped by its record timestamp; decides whether the event came late' CODEC(Delta(8), ZSTD(1)),
    request_id String COMMENT 'Identifies the request' CODEC(ZSTD(1)),
    occurred_at DateTime64(3, 'UTC') COMMENT 'Start of the request' CODEC(Delta(8), ZSTD(1)),
    model_name LowCardinality(String) COMMENT 'Name of the model',
    environment LowCardinality(String) COMMENT 'Where the model serves; model_name/environment is the route',
    model_version LowCardinality(String) COMMENT 'Version that answered; empty when the event names only a variant',
    variant LowCardinality(String) COMMENT 'Arm that answered: stable, canary or another word; empty when not given',
    traffic Enum8('live' = 0, 'shadow' = 1) COMMENT 'Whether the answer reached the caller',
    outcome Enum8('ok' = 0, 'error' = 1, 'timeout' = 2, 'cancelled' = 3, 'rejected' = 4) COMMENT 'How the request ended',
    latency_ms Nullable(Float64) COMMENT 'Duration of the request in milliseconds, measured by the server' CODEC(ZSTD(1)),
    latency_bin Int16 COMMENT 'Histogram bin b of latency_ms: 1.01^(b-1) < ms <= 1.01^b; -32768 not counted (neither ok nor timeout), -32767 zero, 32767 timeout without latency' CODEC(ZSTD(1)),
    ttft_ms Nullable(Float64) COMMENT 'Time to the first token in milliseconds' CODEC(ZSTD(1)),
    status_code Nullable(UInt16) COMMENT 'HTTP status' CODEC(ZSTD(1)),
    error_type LowCardinality(String) COMMENT 'Kind of error; empty when not given',
    locale LowCardinality(String) COMMENT 'BCP 47 tag of the user in canonical form; und when missing or invalid',
    device Enum8('mobile' = 0, 'desktop' = 1, 'tablet' = 2, 'tv' = 3, 'bot' = 4, 'other' = 5, 'unknown' = 6) COMMENT 'Kind of device; other for an unknown word, unknown when missing',
    region LowCardinality(String) COMMENT 'Where the request was served; empty when not given',
    quality_score_e6 Nullable(Int32) COMMENT 'Quality of the answer from 0 to 1, in millionths' CODEC(ZSTD(1)),
    quality_metric LowCardinality(String) COMMENT 'Name of the quality score; empty when not given',
    prediction_label LowCardinality(String) COMMENT 'What the model answered; empty when not given',
    confidence Nullable(Float64) COMMENT 'Confidence of the model in its answer, from 0 to 1' CODEC(ZSTD(1)),
    input_tokens Nullable(UInt32) COMMENT 'Tokens read' CODEC(ZSTD(1)),
    output_tokens Nullable(UInt32) COMMENT 'Tokens written' CODEC(ZSTD(1)),
    sample_rate Float64 COMMENT 'Share of the traffic that is logged, above 0 and at most 1' CODEC(ZSTD(1)),
    is_synthetic Bool COMMENT 'Request of a probe or a load test',
    session_id String COMMENT 'Hashed unit of randomisation; empty when not given' CODEC(ZSTD(1)),
    release_id LowCardinality(String) COMMENT 'Release the router had applied; empty when not given',
    decision_generation Nullable(UInt64) COMMENT 'Generation of the decision the router had applied' CODEC(ZSTD(1)),
    memory_bytes Nullable(UInt64) COMMENT 'Resident memory of the serving process in bytes' CODEC(ZSTD(1)),
    memory_limit_bytes Nullable(UInt64) COMMENT 'Memory limit of the serving process in bytes' CODEC(ZSTD(1)),
    kpi_e6 Map(LowCardinality(String), Int64) COMMENT 'Business numbers of the request, in millionths',
    attributes Map(LowCardinality(String), String) COMMENT 'Further facts the service sent',
    locale_replaced Bool COMMENT 'True when the event named an invalid locale',
    device_replaced Bool COMMENT 'True when the event named an unknown device',
    request_hash UInt64 MATERIALIZED sipHash64(model_name, environment, traffic, request_id) COMMENT 'Finds candidates for duplicates: equal for events of one request in one kind of traffic' CODEC(NONE),
    inserted_at DateTime('UTC') DEFAULT now() COMMENT 'When the row was stored' CODEC(ZSTD(1)),
    INDEX kafka_offset_minmax kafka_offset TYPE minmax GRANULARITY 1,
    INDEX arrival_watermark_minmax arrival_watermark TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toDate(occurred_at)
ORDER BY (toStartOfHour(occurred_at), model_name, model_version, locale, device, occurred_at)
TTL inserted_at + INTERVAL 30 DAY DELETE
SETTINGS ttl_only_drop_parts = 1
COMMENT 'One row per accepted request event, as it came: late ones and duplicates included. Kept 30 days'
