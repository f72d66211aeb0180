-- Roles of Haldane on a ClickHouse server; run once by a user who may create roles. May be repeated.
-- Database: haldane, as in HALDANE_CLICKHOUSE_DATABASE.

-- What `haldane migrate` does.
CREATE ROLE IF NOT EXISTS haldane_owner;
GRANT CREATE DATABASE, CREATE TABLE, CREATE VIEW, ALTER TABLE, SELECT, INSERT ON haldane.* TO haldane_owner;

-- What a worker does.
CREATE ROLE IF NOT EXISTS haldane_worker;
GRANT SELECT, INSERT ON haldane.* TO haldane_worker;

-- What an analyst does: read, for so long and no longer. readonly = 2 refuses every change of data and
-- still lets clients choose settings, which compression over HTTP and dashboards need; where it
-- matters their choice is limited.
CREATE ROLE IF NOT EXISTS haldane_analyst;
GRANT SELECT ON haldane.* TO haldane_analyst;
CREATE SETTINGS PROFILE IF NOT EXISTS haldane_analyst SETTINGS
    readonly = 2,
    max_execution_time = 60 MIN 1 MAX 300,
    max_memory_usage = 4000000000 MAX 4000000000,
    max_threads = 2 MAX 4,
    priority = 10 CONST
TO haldane_analyst;
CREATE QUOTA IF NOT EXISTS haldane_analyst KEYED BY user_name
    FOR INTERVAL 1 HOUR MAX queries = 2000, execution_time = 3600
TO haldane_analyst;
