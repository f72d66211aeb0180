-- breaking: no
-- undo: DROP TABLE command_outcomes
CREATE TABLE IF NOT EXISTS command_outcomes
(
    command_id String COMMENT 'Control command',
    outcome LowCardinality(String) COMMENT 'accepted or rejected',
    release_id String COMMENT 'Release the command was about',
    message String COMMENT 'What happened, for people',
    recorded_at DateTime64(6, 'UTC') COMMENT 'When the row was written; the first row of a command counts'
)
ENGINE = MergeTree
ORDER BY (command_id, recorded_at)
COMMENT 'What became of each control command'
