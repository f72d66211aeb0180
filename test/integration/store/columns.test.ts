import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { EVENT_COLUMNS } from '../../../src/adapters/clickhouse/event-columns.ts'
import type { RequestEvent } from '../../../src/domain/request-event.ts'
import { useTempStore } from '../../support/temp-store.ts'
import { MIDNIGHT, plainEvent } from './random-events.ts'

const anyRow = z.record(z.string(), z.unknown())

describe('request_events', () => {
  const temp = useTempStore()

  const select = (sql: string) => temp().engine.analysis.select({ name: 'look', sql, row: anyRow })

  async function stored(event: Partial<RequestEvent>, topic: string) {
    const { store } = temp()
    const batch = store.newBatch()
    const place = {
      topic,
      partition: 4_294_967_295,
      offset: 9_007_199_254_740_991,
      timestampMs: MIDNIGHT + 1,
      arrivalWatermarkMs: 0,
    }
    batch.add(plainEvent(event), place)
    await store.insertEvents(batch)
    const columns = EVENT_COLUMNS.map(([name]) => name).join(', ')
    return (await select(`SELECT ${columns} FROM request_events WHERE kafka_topic = '${topic}'`))[0]
  }

  it('has a column for everything a row is written with, and no other but two of its own', async () => {
    const columns = await select(
      "SELECT name, default_kind FROM system.columns WHERE database = currentDatabase() AND table = 'request_events'",
    )
    const written = columns.filter((column) => column['default_kind'] === '')
    expect(written.map((column) => column['name']).sort()).toEqual(
      EVENT_COLUMNS.map(([name]) => name).sort(),
    )
    const own = columns.filter((column) => column['default_kind'] !== '')
    expect(own.map((column) => column['name'])).toEqual(['request_hash', 'inserted_at'])
  })

  it('has the words of the domain in its enumerations, under the same numbers', async () => {
    const columns = await select(
      "SELECT name, type FROM system.columns WHERE database = currentDatabase() AND table = 'request_events' AND type LIKE 'Enum8%'",
    )
    const types = new Map(columns.map((column) => [column['name'], column['type']]))
    const written = EVENT_COLUMNS.filter(([, type]) => type.startsWith('Enum8'))
    expect(new Map(written)).toEqual(types)
  })

  it('keeps every field as it was given', async () => {
    const event: RequestEvent = {
      requestId: `r-"\\'\n\t;--é😀${'x'.repeat(100)}`,
      occurredAtMs: MIDNIGHT + 123,
      modelName: 'm/n',
      environment: 'staging',
      modelVersion: '1.0.0-rc.1',
      variant: 'blau€',
      traffic: 'shadow',
      outcome: 'rejected',
      latencyMs: 0.1 + 0.2,
      ttftMs: 86_400_000,
      statusCode: 599,
      errorType: 'overloaded',
      locale: 'zh-Hant-TW',
      device: 'unknown',
      region: 'eu-west-1',
      qualityScore: 0.123_456_7,
      qualityMetric: 'bleu',
      predictionLabel: 'ü'.repeat(256),
      confidence: 1 / 3,
      inputTokens: 4_294_967_295,
      outputTokens: 0,
      sampleRate: 0.1,
      isSynthetic: true,
      sessionId: 's',
      releaseId: 'm/n/staging/1.0.0~2',
      decisionGeneration: 9_007_199_254_740_991,
      memoryBytes: 4_294_967_296,
      memoryLimitBytes: 9_007_199_254_740_991,
      kpi: { revenue: -0.000_001_4, clicks: -1e9, more: 1e9, zero: -0 },
      attributes: { 'k"1': "v'1", '': '' },
      localeReplaced: true,
      deviceReplaced: true,
    }
    expect(await stored(event, 'all')).toEqual({
      kafka_topic: 'all',
      kafka_partition: 4_294_967_295,
      kafka_offset: 9_007_199_254_740_991,
      kafka_timestamp: '2026-11-21 00:00:00.001',
      arrival_watermark: '1970-01-01 00:00:00.000',
      occurred_at: '2026-11-21 00:00:00.123',
      traffic: 'shadow',
      outcome: 'rejected',
      device: 'unknown',
      is_synthetic: true,
      locale_replaced: true,
      device_replaced: true,
      latency_bin: -32_768,
      sample_rate: 0.1,
      latency_ms: 0.1 + 0.2,
      ttft_ms: 86_400_000,
      confidence: 1 / 3,
      status_code: 599,
      quality_score_e6: 123_457,
      input_tokens: 4_294_967_295,
      output_tokens: 0,
      decision_generation: 9_007_199_254_740_991,
      memory_bytes: 4_294_967_296,
      memory_limit_bytes: 9_007_199_254_740_991,
      request_id: event.requestId,
      model_name: 'm/n',
      environment: 'staging',
      model_version: '1.0.0-rc.1',
      variant: 'blau€',
      error_type: 'overloaded',
      locale: 'zh-Hant-TW',
      region: 'eu-west-1',
      quality_metric: 'bleu',
      prediction_label: event.predictionLabel,
      session_id: 's',
      release_id: 'm/n/staging/1.0.0~2',
      kpi_e6: { revenue: -1, clicks: -1e15, more: 1e15, zero: 0 },
      attributes: { 'k"1': "v'1", '': '' },
    })
  })

  it('keeps what is absent absent', async () => {
    const row = await stored({ outcome: 'timeout', latencyMs: null }, 'none')
    expect(row).toMatchObject({
      latency_ms: null,
      latency_bin: 32_767,
      ttft_ms: null,
      confidence: null,
      status_code: null,
      quality_score_e6: null,
      input_tokens: null,
      output_tokens: null,
      decision_generation: null,
      memory_bytes: null,
      memory_limit_bytes: null,
      variant: '',
      is_synthetic: false,
      kpi_e6: {},
      attributes: {},
    })
  })

  it('drops no row for being old: it is kept from the day it was stored', async () => {
    await stored({ occurredAtMs: Date.UTC(1971, 0, 1) }, 'old')
    await temp().engine.analysis.define('merge', 'OPTIMIZE TABLE request_events FINAL')
    const [row] = await select(
      "SELECT count() AS rows FROM request_events WHERE kafka_topic = 'old'",
    )
    expect(row).toEqual({ rows: 1 })
  })

  it('gives one hash to one request, however it names its version', async () => {
    const { store } = temp()
    const batch = store.newBatch()
    const place = { topic: 'hash', partition: 0, timestampMs: 0, arrivalWatermarkMs: 0 }
    batch.add(plainEvent({ modelVersion: '1.0.0' }), { ...place, offset: 0 })
    batch.add(plainEvent({ modelVersion: '', variant: 'stable' }), { ...place, offset: 1 })
    batch.add(plainEvent({ traffic: 'shadow' }), { ...place, offset: 2 })
    await store.insertEvents(batch)
    const rows = await select(
      "SELECT kafka_offset AS at, toString(request_hash) AS hash FROM request_events WHERE kafka_topic = 'hash' ORDER BY at",
    )
    expect(rows[0]?.['hash']).toBe(rows[1]?.['hash'])
    expect(rows[0]?.['hash']).not.toBe(rows[2]?.['hash'])
  })
})
