-- breaking: no
-- undo: DROP VIEW v_release_status
CREATE VIEW IF NOT EXISTS v_release_status
(
    release_id String COMMENT 'Release',
    route String COMMENT 'model_name/environment',
    stable_version String COMMENT 'Version the canary is compared with',
    canary_version String COMMENT 'Version under test',
    mode String COMMENT 'enforced or dry_run',
    started_at DateTime64(3, 'UTC') COMMENT 'Request start time from which blocks are judged',
    started_by String COMMENT 'Who started it',
    phase String COMMENT 'Phase after the newest decision; empty before the first',
    action String COMMENT 'Newest action',
    canary_weight UInt32 COMMENT 'Weight the canary should have',
    total_weight UInt32 COMMENT 'What the weights sum to; 0 before the first decision',
    reasons Array(String) COMMENT 'Reasons of the newest decision',
    decided_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When the newest decision was made',
    generation UInt64 COMMENT 'Generation of the newest decision; 0 before the first',
    decisions UInt64 COMMENT 'Decisions so far',
    events UInt64 COMMENT 'Events in the closed blocks of the release at the newest decision',
    duplicates UInt64 COMMENT 'Of events: duplicates',
    late UInt64 COMMENT 'Of events: came late'
)
AS SELECT
    release.release_id AS release_id,
    release.route AS route,
    release.stable_version AS stable_version,
    release.canary_version AS canary_version,
    release.mode AS mode,
    release.started_at AS started_at,
    release.started_by AS started_by,
    newest.phase AS phase,
    newest.action AS action,
    newest.canary_weight AS canary_weight,
    newest.total_weight AS total_weight,
    newest.reasons AS reasons,
    newest.decided_at AS decided_at,
    newest.generation AS generation,
    newest.decisions AS decisions,
    newest.events AS events,
    newest.duplicates AS duplicates,
    newest.late AS late
FROM
(
    SELECT *
    FROM releases
    ORDER BY releases.recorded_at
    LIMIT 1 BY releases.release_id
) AS release
LEFT JOIN
(
    SELECT
        v_decisions.release_id AS release_id,
        argMax(v_decisions.phase, v_decisions.generation) AS phase,
        argMax(v_decisions.action, v_decisions.generation) AS action,
        argMax(v_decisions.canary_weight, v_decisions.generation) AS canary_weight,
        argMax(v_decisions.total_weight, v_decisions.generation) AS total_weight,
        argMax(v_decisions.reasons, v_decisions.generation) AS reasons,
        toNullable(argMax(v_decisions.decided_at, v_decisions.generation)) AS decided_at,
        argMax(v_decisions.events, v_decisions.generation) AS events,
        argMax(v_decisions.duplicates, v_decisions.generation) AS duplicates,
        argMax(v_decisions.late, v_decisions.generation) AS late,
        count() AS decisions,
        max(v_decisions.generation) AS generation
    FROM v_decisions
    GROUP BY v_decisions.release_id
) AS newest ON newest.release_id = release.release_id
COMMENT 'Releases with what was decided last'
