import { expect, test } from 'vitest'
import { openDoor, problemIn } from './door.ts'
import { NOW_MS, ROUTE } from './fake-worker.ts'

function post(url: string, body: string) {
  return fetch(`${url}/v1/acks`, { method: 'POST', body })
}

test('an ack reaches the worker and is answered 204', async () => {
  const { url, worker } = await openDoor()
  const response = await post(
    url,
    `{"route":"${ROUTE}","router_id":"edge-1","applied_generation":7,"applied_at":"2026-11-23T10:00:00Z"}`,
  )
  expect(response.status).toBe(204)
  expect(await response.text()).toBe('')
  expect(worker.acks).toEqual([
    { route: ROUTE, routerId: 'edge-1', appliedGeneration: 7, appliedAtMs: NOW_MS },
  ])
})

test('an invalid ack is answered 422 with every wrong field', async () => {
  const { url, worker } = await openDoor()
  const response = await post(url, `{"route":"${ROUTE}","router_id":"","applied_generation":-1}`)
  expect(response.status).toBe(422)
  const body = await problemIn(response)
  const fields = (body['errors'] as { field: string }[]).map(({ field }) => field)
  expect(fields).toEqual(['router_id', 'applied_generation', 'applied_at'])
  expect(body['detail']).toContain('router_id')
  expect(worker.acks).toEqual([])
})

test.each(['', 'x', '[]'])('the body "%s" is no ack', async (body) => {
  const { url } = await openDoor()
  expect((await post(url, body)).status).toBe(422)
})
