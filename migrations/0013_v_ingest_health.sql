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
    newest.kafka_topic AS kafka_topic,
    newest.kafka_partition AS kafka_partition,
    newest.next_offset AS next_offset,
    newest.max_event_time AS max_event_time,
    newest.caught_up AS caught_up,
    newest.updated_at AS updated_at,
    (toUnixTimestamp64Milli(now64(3)) - toUnixTimestamp64Milli(newest.updated_at)) / 1000 AS seconds_since_update,
    (toUnixTimestamp64Milli(newest.updated_at) - toUnixTimestamp64Milli(newest.max_event_time)) / 1000 AS seconds_behind
FROM
(
    SELECT *
    FROM ingest_progress
    ORDER BY ingest_progress.recorded_at DESC
    LIMIT 1 BY ingest_progress.kafka_topic, ingest_progress.kafka_partition
) AS newest
COMMENT 'How far and how fresh the stored events are, per partition'
