import { z } from 'zod'
import { specFromJson, specToJson } from '../../contract/release-spec-json.ts'
import type { CommandOutcome, ReleaseRecord, ReleaseStore } from '../../ports.ts'
import type { NamedQuery, SqlConnection } from './sql-connection.ts'
import { sqlTime } from './sql-text.ts'

type StoredRelease = Omit<ReleaseRecord, 'spec'> & { readonly spec: string }

// An empty filter stands for all.
const RELEASES: NamedQuery<StoredRelease> = {
  name: 'releases',
  sql: `SELECT release_id AS releaseId, spec, source, toUnixTimestamp64Milli(started_at) AS startedAtMs,
    started_by AS startedBy, control_partition AS controlPartition, command_id AS commandId
FROM (
    SELECT * FROM releases
    WHERE ({route:String} = '' OR route = {route:String})
        AND ({release:String} = '' OR release_id = {release:String})
    ORDER BY recorded_at LIMIT 1 BY release_id
)
ORDER BY recorded_at`,
  row: z.object({
    releaseId: z.string(),
    spec: z.string(),
    source: z.string(),
    startedAtMs: z.int(),
    startedBy: z.string(),
    controlPartition: z.int(),
    commandId: z.string(),
  }),
}

const OUTCOME: NamedQuery<CommandOutcome> = {
  name: 'command_outcome',
  sql: `SELECT command_id AS commandId, outcome, release_id AS releaseId, message
FROM command_outcomes WHERE command_id = {command:String} ORDER BY recorded_at LIMIT 1`,
  row: z.object({
    commandId: z.string(),
    outcome: z.enum(['accepted', 'rejected']),
    releaseId: z.string(),
    message: z.string(),
  }),
}

/** Releases and what became of commands. Recording one again changes nothing: the first counts. */
export function createReleaseStore(sql: SqlConnection, recordTime: () => string): ReleaseStore {
  return {
    async recordRelease(release) {
      const { spec } = release
      await sql.insertRows({
        name: 'record_release',
        table: 'releases',
        rows: [
          {
            release_id: release.releaseId,
            route: spec.route,
            model_name: spec.modelName,
            environment: spec.environment,
            stable_version: spec.stable,
            canary_version: spec.canary,
            mode: spec.mode,
            started_at: sqlTime(release.startedAtMs),
            started_by: release.startedBy,
            control_partition: release.controlPartition,
            command_id: release.commandId,
            spec: specToJson(spec),
            source: release.source,
            recorded_at: recordTime(),
          },
        ],
      })
    },

    async releases(filter) {
      const params = { route: filter.route ?? '', release: filter.releaseId ?? '' }
      const rows = await sql.select(RELEASES, params)
      return rows.map((row) => ({ ...row, spec: specFromJson(row.spec) }))
    },

    async recordOutcome(outcome) {
      await sql.insertRows({
        name: 'record_outcome',
        table: 'command_outcomes',
        rows: [
          {
            command_id: outcome.commandId,
            outcome: outcome.outcome,
            release_id: outcome.releaseId,
            message: outcome.message,
            recorded_at: recordTime(),
          },
        ],
      })
    },

    async outcome(commandId) {
      const [first] = await sql.select(OUTCOME, { command: commandId })
      return first ?? null
    },
  }
}
