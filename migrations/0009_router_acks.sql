-- breaking: no
-- undo: DROP TABLE router_acks
CREATE TABLE IF NOT EXISTS router_acks
(
    route LowCardinality(String) COMMENT 'model_name/environment',
    router_id String COMMENT 'Router that applied the decision',
    applied_generation UInt64 COMMENT 'Generation of the decision it applied',
    applied_at DateTime64(3, 'UTC') COMMENT 'When the router applied it; the newest of a router counts'
)
ENGINE = ReplacingMergeTree(applied_at)
ORDER BY (route, router_id)
COMMENT 'Newest ack of each router. Older rows disappear in merges; read the newest'
