-- breaking: no
-- undo: DROP VIEW v_ingest_health
CREATE VIEW IF NOT EXISTS v_ingest_health
(
    kafka_topic String COMMENT 'Topic',
    kafka_partition UInt32 COMMENT 'Partition',
    next_offset UInt64 COMMENT 'Every record below it is stored, dead-lettered, or was never there',
    max_event_time DateTime64(3, 'UTC') COMMENT 'Largest event time stored',
    caught_up Bool COMMENT 'True when nothing was waiting at the time of writing',
    updated_at DateTime64(3, 'UTC') COMMENT 'Wall time of the last progress',
    seconds_since_update Float64 COMMENT 'Age of the last progress',
    seconds_behind Float64 COMMENT 'How far the event time was behind the wall clock at the last progress'
)
AS SELECT
    kafka_topic,
    kafka_partition,
    argMax(ingest_progress.next_offset, recorded_at) AS next_offset,
    argMax(ingest_progress.max_event_time, recorded_at) AS max_event_time,
    argMax(ingest_progress.caught_up, recorded_at) AS caught_up,
    argMax(ingest_progress.updated_at, recorded_at) AS updated_at,
    (toUnixTimestamp64Milli(now64(3)) - toUnixTimestamp64Milli(updated_at)) / 1000 AS seconds_since_update,
    (toUnixTimestamp64Milli(updated_at) - toUnixTimestamp64Milli(max_event_time)) / 1000 AS seconds_behind
FROM ingest_progress
GROUP BY kafka_topic, kafka_partition
COMMENT 'How far and how fresh the stored events are, per partition'
