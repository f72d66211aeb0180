import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { encodeDecision } from '../../../src/contract/decision.ts'
import type { FeedbackEvent } from '../../../src/domain/feedback-event.ts'
import { buildRow, buildSpec } from '../../support/builders.ts'
import { useTempStore } from '../../support/temp-store.ts'
import { DECISION } from '../../unit/contract/decision-samples.ts'
import { MIDNIGHT, plainEvent } from './random-events.ts'
import { plainFeedback } from './random-feedback.ts'

const anyRow = z.record(z.string(), z.unknown())

describe('tables and views for people', () => {
  const temp = useTempStore()
  const select = (sql: string) => temp().engine.analysis.select({ name: 'look', sql, row: anyRow })

  it('say what every table, view and column means', async () => {
    const own = 'database = currentDatabase()'
    expect(await select(`SELECT name FROM system.tables WHERE ${own} AND comment = ''`)).toEqual([])
    expect(
      await select(`SELECT table, name FROM system.columns WHERE ${own} AND comment = ''`),
    ).toEqual([])
    const tables = await select(`SELECT name FROM system.tables WHERE ${own} ORDER BY name`)
    expect(tables.map((table) => table['name'])).toEqual([
      'block_history',
      'block_metrics',
      'command_outcomes',
      'decisions',
      'evaluations',
      'feedback_events',
      'ingest_progress',
      'releases',
      'request_events',
      'router_acks',
      'schema_migrations',
      'v_cohort_metrics',
      'v_decisions',
      'v_feedback',
      'v_ingest_health',
      'v_release_feedback',
      'v_release_status',
    ])
  })

  it('keep decisions and releases for ever', async () => {
    const sql = `SELECT name FROM system.tables
      WHERE database = currentDatabase() AND position(create_table_query, 'TTL ') > 0 ORDER BY name`
    const expiring = (await select(sql)).map((table) => table['name'])
    expect(expiring).toEqual(['block_metrics', 'evaluations', 'feedback_events', 'request_events'])
  })

  it('show a decision with its parts, and beside them the published bytes', async () => {
    await temp().store.recordDecision(DECISION)
    const [row] = await select('SELECT * FROM decisions')
    expect(row?.['decision']).toBe(encodeDecision(DECISION))
    const published = JSON.parse(encodeDecision(DECISION)) as Record<string, unknown>
    for (const [name, value] of Object.entries(published)) {
      if (name.endsWith('_at')) continue
      const expected = typeof value === 'object' ? JSON.stringify(value) : value
      expect([name, row?.[name]]).toEqual([name, expected])
    }
    expect(await select('SELECT * FROM v_decisions')).toEqual([
      expect.objectContaining({
        generation: 7,
        decided_at: '2026-11-23 12:00:00.000',
        canary_weight: 5,
        previous_canary_weight: 0,
        reason_codes: ['undecided', 'error_rate_breached'],
        reasons: ['about 1,200 more requests', 'too many errors'],
        window_start: '2026-11-23 11:58:50.000',
        window_end: '2026-11-23 11:59:30.000',
        events: 30_123,
        duplicates: 12,
        late: 3,
      }),
    ])
  })

  it('show releases with what was decided last, also before the first decision', async () => {
    const { store } = temp()
    const release = {
      spec: { ...buildSpec(), route: DECISION.route },
      source: '',
      startedAtMs: MIDNIGHT,
      startedBy: 'ann',
      controlPartition: 0,
      commandId: 'c',
    }
    await store.recordRelease({ ...release, releaseId: DECISION.releaseId })
    await store.recordRelease({ ...release, releaseId: 'fresh' })
    await store.recordDecision({ ...DECISION, generation: 8, phase: 'paused' })
    const rows = await select('SELECT * FROM v_release_status ORDER BY release_id')
    expect(rows).toEqual([
      expect.objectContaining({ release_id: 'fresh', phase: '', generation: 0, decisions: 0 }),
      expect.objectContaining({
        release_id: DECISION.releaseId,
        phase: 'paused',
        action: 'hold',
        canary_weight: 5,
        generation: 8,
        decisions: 2,
        started_by: 'ann',
      }),
    ])
    expect(rows[0]?.['decided_at']).toBeNull()
  })

  it('show feedback beside its request, and which share of it came in time for a release', async () => {
    const { store } = temp()
    const spec = buildSpec({ route: 'fed/production', modelName: 'fed' })
    const release = { spec, source: '', startedBy: 'ann', controlPartition: 0, commandId: 'c' }
    await store.recordRelease({ ...release, releaseId: 'fed', startedAtMs: MIDNIGHT })
    const place = { topic: 'fed', partition: 0, timestampMs: 0, arrivalWatermarkMs: 0 }
    const events = store.newBatch()
    for (const [offset, occurredAtMs] of [MIDNIGHT + 1000, MIDNIGHT + 2000].entries()) {
      const event = { modelName: 'fed', requestId: `f${offset}`, occurredAtMs }
      events.add(plainEvent(event), { ...place, offset })
    }
    await store.insertEvents(events)
    const feedback = store.feedback.newBatch()
    const closedMs = MIDNIGHT + 10_000 + spec.blocks.watermarkMs
    const given: [Partial<FeedbackEvent>, number][] = [
      [{ requestId: 'f0', observedAtMs: MIDNIGHT + 5000 }, 0],
      [{ requestId: 'f0', observedAtMs: closedMs - 1 }, closedMs - 1],
      [{ requestId: 'f1', observedAtMs: MIDNIGHT + 5000 }, closedMs],
      [{ requestId: 'f1', observedAtMs: MIDNIGHT + 6000, modelVersion: '1.1.0' }, 0],
      [{ requestId: 'f1', observedAtMs: MIDNIGHT + 6000, qualityScore: null, label: 'good' }, 0],
      [{ requestId: 'nobody', observedAtMs: MIDNIGHT + 5000 }, 0],
    ]
    for (const [offset, [event, arrivalWatermarkMs]] of given.entries()) {
      const row = plainFeedback({ ...event, modelName: 'fed' })
      feedback.add(row, { ...place, offset, arrivalWatermarkMs })
    }
    await store.feedback.insertEvents(feedback)

    expect(await store.countFeedback(spec)).toEqual({ late: 1, unknown: 2 })
    const rows = await select(
      "SELECT request_id, delay_s, answered_by FROM v_feedback WHERE model_name = 'fed' ORDER BY request_id, delay_s",
    )
    expect(rows.map((row) => [row['request_id'], row['delay_s'], row['answered_by']])).toEqual([
      ['f0', 4, '1.0.0'],
      ['f0', 38.999, '1.0.0'],
      ['f1', 4, '1.0.0'],
      ['f1', 4, '1.0.0'],
      ['f1', 38, '1.0.0'],
      ['nobody', null, ''],
    ])
    expect(await select("SELECT * FROM v_release_feedback WHERE release_id = 'fed'")).toEqual([
      expect.objectContaining({ scores: 4, in_time: 2, late: 1, other_version: 1 }),
    ])
  })

  it('show error rate, p95 and quality per version and cohort', async () => {
    const { store } = temp()
    const batch = store.newBatch()
    for (let offset = 0; offset < 200; offset++) {
      const event = plainEvent({
        requestId: `r${offset}`,
        occurredAtMs: MIDNIGHT + offset * 100,
        outcome: offset % 100 === 0 ? 'error' : 'ok',
        latencyMs: offset < 180 ? 50 : 200,
        qualityScore: offset % 2,
        ...(offset % 10 === 9
          ? { modelVersion: '1.1.0', outcome: 'timeout', latencyMs: null }
          : {}),
      })
      const place = { topic: 't', partition: 0, offset, timestampMs: 0, arrivalWatermarkMs: 0 }
      batch.add(event, place)
    }
    await store.insertEvents(batch)
    const range = {
      releaseId: 'view',
      spec: buildSpec(),
      fromMs: MIDNIGHT,
      toMs: MIDNIGHT + 20_000,
    }
    await store.closeBlocks(range)
    const rows = await select(
      "SELECT *, isInfinite(latency_p95_ms) AS unbounded FROM v_cohort_metrics WHERE release_id = 'view' ORDER BY arm DESC",
    )
    expect(rows).toEqual([
      expect.objectContaining({
        arm: 'stable',
        model_version: '1.0.0',
        locale: 'en-US',
        device: 'mobile',
        requests: 180,
        errors: 2,
        error_rate: 2 / 180,
        quality: 80 / 180,
        quality_n: 180,
        first_block: '2026-11-21 00:00:00.000',
        last_block: '2026-11-21 00:00:10.000',
      }),
      expect.objectContaining({ arm: 'canary', error_rate: 1, quality: 1, unbounded: 1 }),
    ])
    const p95 = Number(rows[0]?.['latency_p95_ms'])
    expect(p95).toBeGreaterThanOrEqual(200)
    expect(p95).toBeLessThan(202.1)
    expect(rows[1]?.['latency_p95_ms']).toBeNull()
  })

  it('show how far and how fresh each partition is', async () => {
    const progress = {
      topic: 't',
      partition: 3,
      nextOffset: 9,
      maxEventTimeMs: MIDNIGHT,
      caughtUp: true,
    }
    await temp().store.saveProgress([{ ...progress, updatedAtMs: MIDNIGHT + 2500 }])
    expect(await select('SELECT * EXCEPT seconds_since_update FROM v_ingest_health')).toEqual([
      {
        kafka_topic: 't',
        kafka_partition: 3,
        next_offset: 9,
        max_event_time: '2026-11-21 00:00:00.000',
        caught_up: true,
        updated_at: '2026-11-21 00:00:02.500',
        seconds_behind: 2.5,
      },
    ])
  })

  it('keep what the judge said, infinities included', async () => {
    const row = buildRow({ logEBreach: Number.NEGATIVE_INFINITY, cohort: { locale: 'de-DE' } })
    const full = buildRow({ needs: { requests: 10, seconds: 2.5 }, contribution: 0.1 })
    await temp().store.recordEvaluations('r', [
      { windowEndMs: MIDNIGHT, rows: [row, full] },
      { windowEndMs: MIDNIGHT + 1, rows: [] },
    ])
    await temp().store.recordEvaluations('r', [])
    const rows = await select(
      "SELECT *, log_e_breach = -inf AS never FROM evaluations WHERE release_id = 'r' ORDER BY locale DESC",
    )
    expect(rows).toEqual([
      expect.objectContaining({ locale: 'de-DE', device: '', never: 1, needs_requests: null }),
      expect.objectContaining({
        locale: '',
        metric_limit: 'max: 2%',
        stable_value: 0.005,
        stable_n: 10_000,
        log_e_pass: 4,
        needs_seconds: 2.5,
        contribution: 0.1,
        window_end: '2026-11-21 00:00:00.000',
      }),
    ])
  })
})
