import { describe, expect, it } from 'vitest'
import { decodeRouterAck, encodeRouterAck } from '../../../src/contract/router-ack.ts'
import type { RouterAck } from '../../../src/ports.ts'

const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value))
const WIRE = {
  route: 'intent-classifier/production',
  router_id: 'edge-1',
  applied_generation: 7,
  applied_traffic: [{ version: '1.4.2', role: 'stable', weight: 95 }],
  applied_at: '2026-11-23T12:00:00.250Z',
}
const ACK: RouterAck = {
  route: 'intent-classifier/production',
  routerId: 'edge-1',
  appliedGeneration: 7,
  appliedAtMs: Date.UTC(2026, 10, 23, 12) + 250,
}

describe('decodeRouterAck', () => {
  it('reads an ack, with or without the applied traffic', () => {
    expect(decodeRouterAck(bytes(WIRE))).toEqual(ACK)
    expect(decodeRouterAck(bytes({ ...WIRE, applied_traffic: null, extra: 1 }))).toEqual(ACK)
  })

  it('gives every reason why a value is no ack', () => {
    expect(decodeRouterAck(null)).toMatchObject([{ field: '', code: 'tombstone' }])
    expect(decodeRouterAck(bytes([]))).toMatchObject([{ field: '', code: 'not_an_object' }])
    expect(
      decodeRouterAck(
        bytes({ route: 'm', applied_generation: -1, applied_traffic: [{}], applied_at: 7 }),
      ),
    ).toMatchObject([
      {
        field: 'route',
        code: 'format',
        message:
          'is the text "m"; allowed is <model name>/<environment>, such as intent-classifier/production',
      },
      { field: 'router_id', code: 'missing' },
      { field: 'applied_generation', code: 'range' },
      { field: 'applied_traffic.0.version', code: 'missing' },
      { field: 'applied_traffic.0.weight', code: 'missing' },
      { field: 'applied_at', code: 'type' },
    ])
  })
})

describe('encodeRouterAck', () => {
  it('is undone by decodeRouterAck', () => {
    expect(decodeRouterAck(encodeRouterAck(ACK))).toEqual(ACK)
  })
})
