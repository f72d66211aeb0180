-- breaking: no
-- undo: DROP TABLE ingest_progress
CREATE TABLE IF NOT EXISTS ingest_progress
(
    kafka_topic LowCardinality(String) COMMENT 'Topic',
    kafka_partition UInt32 COMMENT 'Partition of the topic',
    next_offset UInt64 COMMENT 'Every record below it is stored, dead-lettered, or was never there',
    max_event_time DateTime64(3, 'UTC') COMMENT 'Largest event time stored, each capped by its record timestamp; 1970 before the first event',
    caught_up Bool COMMENT 'True when nothing was waiting in the partition at the time of writing',
    updated_at DateTime64(3, 'UTC') COMMENT 'Wall time of writing',
    recorded_at DateTime64(6, 'UTC') COMMENT 'Orders the rows of a partition: the newest counts'
)
ENGINE = ReplacingMergeTree(recorded_at)
ORDER BY (kafka_topic, kafka_partition)
COMMENT 'How far each partition is stored. Older rows of a partition disappear in merges; read the newest'
