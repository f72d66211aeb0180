-- breaking: no
-- undo: DROP TABLE releases
CREATE TABLE IF NOT EXISTS releases
(
    release_id String COMMENT 'route/canary_version, with ~2, ~3 and so on for further tries',
    route LowCardinality(String) COMMENT 'model_name/environment',
    model_name LowCardinality(String) COMMENT 'Name of the model',
    environment LowCardinality(String) COMMENT 'Where the model serves',
    stable_version LowCardinality(String) COMMENT 'Version the canary is compared with',
    canary_version LowCardinality(String) COMMENT 'Version under test',
    mode LowCardinality(String) COMMENT 'enforced or dry_run',
    started_at DateTime64(3, 'UTC') COMMENT 'Request start time from which blocks are judged',
    started_by String COMMENT 'Who started it',
    control_partition UInt32 COMMENT 'Partition of the control topic; its owner analyses the release',
    command_id String COMMENT 'Command that started it',
    spec String COMMENT 'The release file after validation with every default filled in, as JSON' CODEC(ZSTD(3)),
    source String COMMENT 'The release file as it was given' CODEC(ZSTD(3)),
    recorded_at DateTime64(6, 'UTC') COMMENT 'When the row was written; the first row of a release counts'
)
ENGINE = MergeTree
ORDER BY (route, release_id, recorded_at)
COMMENT 'Releases that were started. Kept for ever'
