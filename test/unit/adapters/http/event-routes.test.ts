import { describe, expect, test } from 'vitest'
import { HaldaneError } from '../../../../src/domain/errors.ts'
import { openDoor, problemIn } from './door.ts'
import { NOW_MS } from './fake-worker.ts'

function post(
  url: string,
  body: string | Uint8Array<ArrayBuffer>,
  contentType = 'application/json',
) {
  return fetch(`${url}/v1/events`, {
    method: 'POST',
    headers: { 'content-type': contentType },
    body,
  })
}

describe('the forms of a batch', () => {
  test('elements of a JSON array reach the worker as the text they were sent in', async () => {
    const { url, worker } = await openDoor()
    const response = await post(url, '[{"a":1e400,"a":2} ,\n {"b":"],[\\"é"},{"c":[1,{"d":2.50}]}]')
    expect(response.status).toBe(200)
    expect(await response.json()).toEqual({ accepted: 3, rejected: 0, stored: true })
    expect(worker.submitted).toEqual([
      {
        texts: ['{"a":1e400,"a":2}', '{"b":"],[\\"é"}', '{"c":[1,{"d":2.50}]}'],
        receivedAtMs: NOW_MS,
        headers: {},
      },
    ])
  })

  test.each(['application/x-ndjson', 'application/jsonl', 'text/plain; charset=utf-8'])(
    '%s is one event a line; blank lines and CR are none',
    async (contentType) => {
      const { url, worker } = await openDoor()
      const response = await post(url, '{"a":1e400}\r\n\n  \n{"b":2}', contentType)
      expect(response.status).toBe(200)
      expect(worker.submitted[0]?.texts).toEqual(['{"a":1e400}', '{"b":2}'])
    },
  )

  test('a single object may stand over several lines', async () => {
    const { url, worker } = await openDoor()
    const response = await post(url, '{\n  "a": 1\n}\n')
    expect(response.status).toBe(200)
    expect(worker.submitted[0]?.texts.map((text) => text.trim())).toEqual(['{\n  "a": 1\n}'])
  })

  test('a byte order mark before an array is no part of it', async () => {
    const { url, worker } = await openDoor()
    expect((await post(url, '\uFEFF[{"a":1}]')).status).toBe(200)
    expect(worker.submitted[0]?.texts).toEqual(['{"a":1}'])
  })

  test('a body without a media type is read as JSON', async () => {
    const { url, worker } = await openDoor()
    const body = new Blob(['[{"a":1},{"b":2}]'])
    const response = await fetch(`${url}/v1/events`, { method: 'POST', body })
    expect(response.status).toBe(200)
    expect(worker.submitted[0]?.texts).toHaveLength(2)
  })

  test('another media type is refused with the ones that are understood', async () => {
    const { url, worker } = await openDoor()
    const response = await post(url, 'a=1', 'application/x-www-form-urlencoded')
    expect(response.status).toBe(415)
    expect((await problemIn(response))['remedy']).toContain('application/x-ndjson')
    expect(worker.submitted).toEqual([])
  })
})

describe('what the answer says', () => {
  test('202 when the events wait in Kafka and are not stored yet', async () => {
    const { url, worker } = await openDoor()
    worker.stored = false
    const response = await post(url, '[{"a":1}]')
    expect(response.status).toBe(202)
    expect(await response.json()).toEqual({ accepted: 1, rejected: 0, stored: false })
  })

  test('of a half wrong batch the good events are kept and each bad one is named', async () => {
    const { url, worker } = await openDoor()
    worker.judge = (text) => (text.includes('bad') ? 'is missing' : null)
    const response = await post(url, '["bad",{"a":1},{"bad":2},{"b":3}]')
    expect(response.status).toBe(422)
    const body = await problemIn(response)
    expect(body).toMatchObject({ accepted: 2, rejected: 2, stored: true })
    expect(body['type']).toBe('/problems/invalid-input')
    expect(body['errors']).toEqual([
      { index: 0, field: 'outcome', code: 'missing', message: 'is missing' },
      { index: 2, field: 'outcome', code: 'missing', message: 'is missing' },
    ])
    expect(worker.submitted).toHaveLength(1)
  })

  test('at most 1,000 errors are listed, all are counted', async () => {
    const { url, worker } = await openDoor()
    worker.judge = () => 'is missing'
    const response = await post(url, `[${Array(1500).fill('{}').join(',')}]`)
    const body = await problemIn(response)
    expect(body).toMatchObject({ accepted: 0, rejected: 1500 })
    expect(body['errors']).toHaveLength(1000)
  })

  test('too many waiting events are answered 429 with a time to wait', async () => {
    const { url, worker } = await openDoor()
    worker.failure = new HaldaneError('overloaded', 'Too many events are waiting.')
    const response = await post(url, '[{"a":1}]')
    expect(response.status).toBe(429)
    expect(response.headers.get('retry-after')).toBe('1')
    expect((await problemIn(response))['detail']).toBe('Too many events are waiting.')
  })

  test('a store that is away is answered 503 with a time to wait', async () => {
    const { url, worker } = await openDoor()
    worker.failure = new HaldaneError('store_unavailable', 'ClickHouse is away.')
    const response = await post(url, '[{"a":1}]')
    expect(response.status).toBe(503)
    expect(response.headers.get('retry-after')).toBe('5')
  })
})

describe('bodies that are no batch', () => {
  test.each([
    ['nothing', '', 'application/json'],
    ['blanks', ' \n ', 'application/json'],
    ['blank lines', '\n\n\r\n', 'application/x-ndjson'],
    ['an empty array', ' [ ] ', 'application/json'],
  ])('%s is answered 400', async (_what, body, contentType) => {
    const { url, worker } = await openDoor()
    const response = await post(url, body, contentType)
    expect(response.status).toBe(400)
    expect((await problemIn(response))['detail']).toContain('no event')
    expect(worker.submitted).toEqual([])
  })

  test.each([
    ['an array without its end', '[{"a":1},{"b":2}'],
    ['an array with a hole', '[{"a":1},,{"b":2}]'],
    ['something after the array', '[{"a":1}] x'],
  ])('%s is answered 400 and says what is wrong', async (_what, body) => {
    const { url, worker } = await openDoor()
    const response = await post(url, body)
    expect(response.status).toBe(400)
    expect(String((await problemIn(response))['detail'])).toMatch(/\d/)
    expect(worker.submitted).toEqual([])
  })

  test('more than 16 MiB is answered 413, whether or not the length is announced', async () => {
    const { url, worker } = await openDoor()
    const bytes = new Uint8Array(16_777_217).fill(0x20)
    const announced = await post(url, bytes)
    expect(announced.status).toBe(413)
    expect((await problemIn(announced))['detail']).toContain('16')
    const chunked = await fetch(`${url}/v1/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: new Blob([bytes]).stream(),
      duplex: 'half',
    } as RequestInit)
    expect(chunked.status).toBe(413)
    expect(worker.submitted).toEqual([])
  })

  test('exactly 16 MiB is taken', async () => {
    const { url, worker } = await openDoor()
    const bytes = new Uint8Array(16_777_216).fill(0x20)
    bytes.set(Buffer.from('[{"a":1}]'))
    expect((await post(url, bytes)).status).toBe(200)
    expect(worker.submitted[0]?.texts).toEqual(['{"a":1}'])
  })

  test('more than 100,000 events are answered 413', async () => {
    const { url, worker } = await openDoor()
    const lines = await post(url, '{}\n'.repeat(100_001), 'application/x-ndjson')
    expect(lines.status).toBe(413)
    const array = await post(url, `[${'{},'.repeat(100_000)}{}]`)
    expect(array.status).toBe(413)
    expect((await problemIn(array))['detail']).toContain('100,000')
    expect(worker.submitted).toEqual([])
  })
})

describe('validation', () => {
  const EVENT = {
    request_id: 'r-1',
    model_name: 'intent-classifier',
    model_version: '1.5.0',
    outcome: 'ok',
    latency_ms: 41.2,
  }

  test('says what would be rejected, in the words of the answer to events, and keeps nothing', async () => {
    const { url, worker } = await openDoor()
    const lines = [
      { ...EVENT, occurred_at: '2026-11-23T10:00:00Z' },
      { ...EVENT, latency_ms: -1, kpi: { revenue: 'x' } },
      EVENT,
      { ...EVENT, occurred_at: '2026-11-23T10:10:01Z' },
    ]
    const response = await fetch(`${url}/v1/events/validate`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body: lines.map((line) => `${JSON.stringify(line)}\n`).join('\n'),
    })
    expect(response.status).toBe(200)
    expect(await response.json()).toMatchObject({
      summary: { events: 4, valid: 2, invalid: 2 },
      errors: [
        { index: 1, field: 'latency_ms', code: 'range' },
        { index: 1, field: 'kpi.revenue', code: 'type' },
        { index: 3, field: 'occurred_at', code: 'future' },
      ],
    })
    expect(worker.submitted).toEqual([])
  })

  test('refuses what is no batch as events do', async () => {
    const { url } = await openDoor()
    const address = `${url}/v1/events/validate`
    expect((await fetch(address, { method: 'POST', body: '' })).status).toBe(400)
    const headers = { 'content-type': 'text/csv' }
    expect((await fetch(address, { method: 'POST', headers, body: 'a' })).status).toBe(415)
  })
})

describe('feedback', () => {
  test('comes through a door of its own, in the same forms, and is answered in the same way', async () => {
    const { url, worker } = await openDoor()
    worker.judge = (text) => (text.includes('bad') ? 'is not what it should be' : null)
    const response = await fetch(`${url}/v1/feedback`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body: '{"a":1}\n{"bad":2}\n{"c":3}',
    })
    expect(response.status).toBe(422)
    expect(await problemIn(response)).toMatchObject({
      accepted: 2,
      rejected: 1,
      stored: true,
      errors: [{ index: 1, field: 'outcome', code: 'missing' }],
    })
    expect(worker.feedback).toEqual([
      { texts: ['{"a":1}', '{"bad":2}', '{"c":3}'], receivedAtMs: NOW_MS, headers: {} },
    ])
    expect(worker.submitted).toEqual([])
  })
})
