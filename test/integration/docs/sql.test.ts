import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { readDatabaseTables, SQL_PAGE } from '../../../.ci/docs-pages.ts'
import { withTables } from '../../../.ci/docs-tables.ts'
import type { FeedbackEvent } from '../../../src/domain/feedback-event.ts'
import type { RequestEvent } from '../../../src/domain/request-event.ts'
import { buildRow, buildSpec } from '../../support/builders.ts'
import { codeBlocks } from '../../support/docs-pages.ts'
import { useTempStore } from '../../support/temp-store.ts'
import { DECISION } from '../../unit/contract/decision-samples.ts'
import { plainEvent } from '../store/random-events.ts'

const ROUTE = 'intent-classifier/production'
const RELEASE = `${ROUTE}/1.5.0`
const FROM_MS = Date.parse('2026-11-23T10:00:00Z')
const text = readFileSync(SQL_PAGE, 'utf8')
const queries = codeBlocks({ name: 'docs/sql.md', url: SQL_PAGE, text }).filter(
  ({ language }) => language === 'sql',
)

describe('docs/sql.md', () => {
  const temp = useTempStore()

  beforeAll(async () => {
    const { store } = temp()
    const place = { topic: 't', partition: 0, timestampMs: FROM_MS, arrivalWatermarkMs: 0 }
    const spec = buildSpec({
      ...{ route: ROUTE, modelName: 'intent-classifier', stable: '1.4.2', canary: '1.5.0' },
    })
    await store.recordRelease({
      ...{ releaseId: RELEASE, spec, source: '', startedBy: 'mia', startedAtMs: FROM_MS },
      ...{ controlPartition: 0, commandId: 'c-1' },
    })
    const events = store.newBatch()
    for (let offset = 0; offset < 100; offset++) {
      const event: Partial<RequestEvent> = {
        requestId: `r${offset}`,
        occurredAtMs: FROM_MS + offset * 2000,
        modelName: 'intent-classifier',
        modelVersion: offset % 4 === 0 ? '1.5.0' : '1.4.2',
        outcome: offset % 16 === 0 ? 'error' : 'ok',
        locale: offset % 2 === 0 ? 'de-DE' : 'en-US',
        latencyMs: offset,
      }
      events.add(plainEvent(event), { ...place, offset })
    }
    await store.insertEvents(events)
    const feedback = store.feedback.newBatch()
    const said: FeedbackEvent = {
      ...{ requestId: 'r1', observedAtMs: FROM_MS + 5000, modelName: 'intent-classifier' },
      ...{ environment: 'production', modelVersion: '', qualityMetric: 'agreed' },
      ...{ qualityScore: 1, label: '', annotatorKind: 'HUMAN' },
    }
    feedback.add(said, { ...place, offset: 0 })
    await store.feedback.insertEvents(feedback)
    const range = { releaseId: RELEASE, spec, fromMs: FROM_MS, toMs: FROM_MS + 200_000 }
    await store.closeBlocks(range)
    await store.recordEvaluations(RELEASE, [
      { windowEndMs: FROM_MS + 10_000, rows: [buildRow({ cohort: 'overall' })] },
    ])
    const decision = {
      ...DECISION,
      route: ROUTE,
      releaseId: RELEASE,
      decidedAtMs: FROM_MS + 90_000,
    }
    await store.recordDecision({
      ...{ ...decision, decisionId: `${RELEASE}#6`, generation: 6 },
      reasons: [{ code: 'manual', severity: 'info', message: 'pause by mia: lunch' }],
    })
    await store.recordDecision({ ...decision, decisionId: `${RELEASE}#7`, generation: 7 })
    await store.saveProgress([
      {
        ...{ topic: 't', partition: 0, nextOffset: 100, maxEventTimeMs: FROM_MS, caughtUp: true },
        updatedAtMs: FROM_MS,
      },
    ])
  })

  it('lists every table and column with what the database says of it', async () => {
    const tables = await readDatabaseTables(temp().engine)
    for (const name of tables.keys()) expect(text).toContain(`<!-- table: ${name} -->`)
    expect(text, 'run `npm run schemas`').toBe(withTables(text, tables))
  })

  it.each(queries.map((query) => [`line ${query.line}`, query] as const))(
    'gives an answer to the question at %s',
    async (_, { code }) => {
      const { columns, rows } = await temp().store.query(code)
      expect(columns.length).toBeGreaterThan(2)
      expect(rows.length).toBeGreaterThan(0)
    },
  )

  it('tells before from after, and the weights from what was seen', async () => {
    const asked = async (part: string) => {
      const { code = '' } = queries.find((query) => query.code.includes(part)) ?? {}
      return (await temp().store.query(code)).rows
    }
    const around = await asked("'before'")
    expect(around.map(([part, version, requests]) => [part, version, requests])).toEqual([
      ['before', '1.4.2', 33],
      ['before', '1.5.0', 12],
      ['after', '1.4.2', 42],
      ['after', '1.5.0', 13],
    ])
    const shares = await asked('canary_share')
    expect(shares[0]?.slice(1)).toEqual([8 / 30, 30])
    expect((await asked("'manual'")).map((row) => row[4])).toEqual(['pause by mia: lunch'])
  })

  it('says truly how long rows are kept', async () => {
    const { rows } = await temp().store.query(
      "SELECT name, toUInt32(extract(create_table_query, 'toIntervalDay\\\\((\\\\d+)\\\\)')) AS days FROM system.tables WHERE database = currentDatabase() AND position(create_table_query, 'TTL ') > 0 ORDER BY name",
    )
    expect(rows).toEqual([
      ['block_metrics', 90],
      ['evaluations', 90],
      ['feedback_events', 30],
      ['request_events', 30],
    ])
    expect(text).toContain('`request_events` and `feedback_events` 30 days')
    expect(text).toContain('`block_metrics` and `evaluations` 90 days')
  })
})
