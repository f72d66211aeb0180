-- breaking: no
-- undo: DROP TABLE feedback_events
--
-- Closing a block looks for the feedback of its requests by the time it was observed, so rows of one
-- model lie in the order of that time; the minmax index finds rows by place in Kafka (recovery).
CREATE TABLE IF NOT EXISTS feedback_events
(
    kafka_topic LowCardinality(String) COMMENT 'Topic the record came from',
    kafka_partition UInt32 COMMENT 'Partition of the record' CODEC(ZSTD(1)),
    kafka_offset UInt64 COMMENT 'Offset of the record in its partition; with topic and partition it identifies a row' CODEC(Delta(8), ZSTD(1)),
    kafka_timestamp DateTime64(3, 'UTC') COMMENT 'Timestamp of the record' CODEC(Delta(8), ZSTD(1)),
    arrival_watermark DateTime64(3, 'UTC') COMMENT 'Largest observation time of the partition before this record, each capped by its record timestamp; decides whether the feedback came in time for the block of its request' CODEC(Delta(8), ZSTD(1)),
    request_id String COMMENT 'The request the feedback is about' CODEC(ZSTD(1)),
    observed_at DateTime64(3, 'UTC') COMMENT 'When it was observed; of several scores of a request the earliest counts' CODEC(Delta(8), ZSTD(1)),
    model_name LowCardinality(String) COMMENT 'Name of the model that answered',
    environment LowCardinality(String) COMMENT 'Where the model serves; model_name/environment is the route',
    model_version LowCardinality(String) COMMENT 'Version that answered; empty when not given: then any version that answered the request is meant',
    quality_metric LowCardinality(String) COMMENT 'Name of the quality score; empty when not given',
    quality_score_e6 Nullable(Int32) COMMENT 'Quality of the answer from 0 to 1, in millionths' CODEC(ZSTD(1)),
    label String COMMENT 'What the right answer was, or what was said of the answer; empty when not given' CODEC(ZSTD(1)),
    annotator_kind LowCardinality(String) COMMENT 'Who or what observed it: HUMAN, LLM or CODE; empty when not given',
    inserted_at DateTime('UTC') DEFAULT now() COMMENT 'When the row was stored' CODEC(ZSTD(1)),
    INDEX kafka_offset_minmax kafka_offset TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toDate(observed_at)
ORDER BY (toStartOfHour(observed_at), model_name, environment, observed_at)
TTL inserted_at + INTERVAL 30 DAY DELETE
SETTINGS ttl_only_drop_parts = 1
COMMENT 'One row per accepted feedback event, as it came: late ones, repeated ones and those of unknown requests included. Kept 30 days'
