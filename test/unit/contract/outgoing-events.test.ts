import { describe, expect, it } from 'vitest'
import { type MessageHeaders, readMessage } from '../../../src/contract/cloud-event.ts'
import { decodeControlCommand } from '../../../src/contract/control-command.ts'
import { encodeDecision } from '../../../src/contract/decision.ts'
import { ackRecord, commandRecord, decisionRecord } from '../../../src/contract/outgoing-events.ts'
import { decodeRouterAck } from '../../../src/contract/router-ack.ts'
import type { OutgoingRecord } from '../../../src/ports.ts'
import { DECISION } from './decision-samples.ts'

const headersOf = (record: OutgoingRecord): MessageHeaders =>
  Object.fromEntries(
    Object.entries(record.headers ?? {}).map(([name, value]) => [name, Buffer.from(value)]),
  )
const AT_MS = Date.parse('2026-11-23T10:00:00Z')

describe('the record of a decision', () => {
  it('has the envelope in its headers and nothing but the decision as its value', () => {
    const record = decisionRecord({
      ...DECISION,
      decisionId: 'd-1',
      releaseId: 'm/e/1.5.0',
      route: 'm/e',
      generation: 42,
      decidedAtMs: AT_MS,
      expiresAtMs: AT_MS + 180_000,
    })
    expect(record.key).toBe('m/e')
    expect(record.headers).toEqual({
      ce_specversion: '1.0',
      ce_id: 'd-1',
      ce_source: '/haldane',
      ce_type: 'ml.canary.decision.v1',
      ce_subject: 'm/e/1.5.0',
      ce_time: '2026-11-23T10:00:00.000Z',
      ce_sequence: '00000000000000000042',
      ce_expirytime: '2026-11-23T10:03:00.000Z',
      'content-type': 'application/json',
    })
    const plain = decisionRecord(DECISION)
    expect(String(Buffer.from(plain.value ?? []))).toBe(encodeDecision(DECISION))
    expect(readMessage(plain.value, headersOf(plain), 'decision')).toMatchObject({
      envelope: { id: DECISION.decisionId },
    })
  })

  it('has no expiry when it holds until the next release', () => {
    const { headers } = decisionRecord({ ...DECISION, expiresAtMs: null })
    expect(Object.keys(headers ?? {})).not.toContain('ce_expirytime')
  })

  it('orders as text as its generation does', () => {
    const sequence = (generation: number) =>
      String(decisionRecord({ ...DECISION, generation }).headers?.['ce_sequence'])
    expect(sequence(9) < sequence(10)).toBe(true)
    expect(sequence(Number.MAX_SAFE_INTEGER)).toHaveLength(20)
  })
})

describe('the records of commands and acks', () => {
  it('are read back with their envelope', () => {
    const ack = { route: 'm/e', routerId: 'edge-1', appliedGeneration: 3, appliedAtMs: AT_MS }
    const sent = ackRecord(ack, 'a-1')
    expect(sent).toMatchObject({
      key: 'm/e',
      headers: { ce_id: 'a-1', ce_type: 'ml.canary.routing.v1', ce_subject: 'm/e' },
    })
    expect(decodeRouterAck(sent.value, headersOf(sent))).toEqual(ack)
    const command = {
      commandId: 'c-1',
      kind: 'pause',
      route: 'm/e',
      releaseId: 'm/e/1.5.0',
      atMs: AT_MS,
      by: 'mia',
      reason: '',
    } as const
    const given = commandRecord(command)
    expect(given).toMatchObject({
      key: 'm/e',
      headers: { ce_id: 'c-1', ce_type: 'ml.canary.control.v1', ce_subject: 'm/e/1.5.0' },
    })
    expect(decodeControlCommand(given.value, headersOf(given))).toEqual(command)
  })
})

describe('acks and commands of others', () => {
  const ACK = {
    route: 'm/e',
    router_id: 'edge-1',
    applied_generation: 3,
    applied_at: '2026-11-23T10:00:00Z',
  }
  const ENVELOPE = { specversion: '1.0', id: 'a-1', source: '/router' }

  it('are read as structured CloudEvents too, and not when they are something else', () => {
    const read = (type: string) =>
      decodeRouterAck(Buffer.from(JSON.stringify({ ...ENVELOPE, type, data: ACK })))
    expect(read('com.acme.ml.canary.routing.v1')).toMatchObject({ routerId: 'edge-1' })
    expect(read('com.acme.applied')).toMatchObject({ routerId: 'edge-1' })
    expect(read('com.acme.ml.canary.decision.v1')).toMatchObject([{ field: 'type' }])
    const command = { ...ENVELOPE, type: 'ml.canary.routing.v1', data: {} }
    expect(decodeControlCommand(Buffer.from(JSON.stringify(command)))).toMatchObject([
      { field: 'type', code: 'format' },
    ])
  })
})
