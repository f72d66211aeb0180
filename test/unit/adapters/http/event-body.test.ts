import { describe, expect, test } from 'vitest'
import { openDoor, problemIn } from './door.ts'

const ATTRIBUTES = {
  'ce-specversion': '1.0',
  'ce-id': 'r%201',
  'ce-source': '/services/intent',
  'ce-type': 'com.acme.request',
}
const IN_A_RECORD = {
  ce_specversion: '1.0',
  ce_id: 'r 1',
  ce_source: '/services/intent',
  ce_type: 'com.acme.request',
}

const post = (url: string, headers: Record<string, string>, body: string) =>
  fetch(`${url}/v1/events`, { method: 'POST', headers, body })

describe('CloudEvents over HTTP', () => {
  test('binary: the body is the data, the attributes become headers of a record', async () => {
    const { url, worker } = await openDoor()
    const type = 'application/json; charset=utf-8'
    const response = await post(url, { ...ATTRIBUTES, 'content-type': type }, '{"a":1}\n')
    expect(response.status).toBe(200)
    expect(worker.submitted).toMatchObject([
      { texts: ['{"a":1}\n'], headers: { ...IN_A_RECORD, 'content-type': type } },
    ])
  })

  test('binary: one attribute that must be there is enough to take the rest as missing', async () => {
    const { url, worker } = await openDoor()
    await post(url, { 'ce-id': 'r-1', 'content-type': 'text/csv' }, 'a,b')
    expect(worker.submitted).toMatchObject([
      { texts: ['a,b'], headers: { ce_id: 'r-1', 'content-type': 'text/csv' } },
    ])
  })

  test.each(['application/cloudevents+json', 'Application/CloudEvents+JSON; charset=UTF-8'])(
    'structured as %s, whatever the headers say',
    async (contentType) => {
      const { url, worker } = await openDoor()
      const body = '{\n"specversion":"1.0"\n}'
      await post(url, { ...ATTRIBUTES, 'content-type': contentType }, body)
      expect(worker.submitted).toMatchObject([
        { texts: [body], headers: { 'content-type': 'application/cloudevents+json' } },
      ])
      expect(worker.submitted[0]?.headers['ce_id']).toBeUndefined()
    },
  )

  test('a batch: each element is a structured event', async () => {
    const { url, worker } = await openDoor()
    const type = 'application/cloudevents-batch+json; charset=UTF-8'
    const response = await post(url, { 'content-type': type }, '[{"id":"a"}, {"id":"b"}]')
    expect(await response.json()).toEqual({ accepted: 2, rejected: 0, stored: true })
    expect(worker.submitted).toMatchObject([
      {
        texts: ['{"id":"a"}', '{"id":"b"}'],
        headers: { 'content-type': 'application/cloudevents+json' },
      },
    ])
  })

  test('a batch may be empty', async () => {
    const { url } = await openDoor()
    const response = await post(url, { 'content-type': 'application/cloudevents-batch+json' }, '[]')
    expect(response.status).toBe(200)
    expect(await response.json()).toEqual({ accepted: 0, rejected: 0, stored: true })
  })

  test.each(['application/cloudevents+avro', 'application/cloudevents-batch+xml'])(
    '%s is refused with the types that are read',
    async (contentType) => {
      const { url, worker } = await openDoor()
      const response = await post(url, { 'content-type': contentType }, '[]')
      expect(response.status).toBe(415)
      expect(response.headers.get('accept')).toContain('application/cloudevents+json')
      await problemIn(response)
      expect(worker.submitted).toEqual([])
    },
  )

  test.each([
    ['application/cloudevents+json', ' \n', 'no event'],
    ['application/cloudevents-batch+json', '{"id":"a"}', 'begins with "{"'],
    ['application/cloudevents-batch+json', '', 'begins with nothing'],
  ])('%s with the body %j is answered 400', async (contentType, body, detail) => {
    const { url } = await openDoor()
    const response = await post(url, { 'content-type': contentType }, body)
    expect(response.status).toBe(400)
    expect((await problemIn(response))['detail']).toContain(detail)
  })

  test('what is wrong with an attribute is said by its name in HTTP', async () => {
    const { url } = await openDoor()
    const response = await fetch(`${url}/v1/events/validate`, {
      method: 'POST',
      headers: { ...ATTRIBUTES, 'ce-specversion': '0.3', 'ce-source': '%C0%A0' },
      body: '{}',
    })
    expect(await response.json()).toMatchObject({
      summary: { invalid: 1 },
      errors: [{ index: 0, field: 'ce-source', code: 'invalid_utf8' }],
    })
  })
})
