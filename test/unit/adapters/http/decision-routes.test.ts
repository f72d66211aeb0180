import { expect, test } from 'vitest'
import { decisionToWire } from '../../../../src/contract/decision.ts'
import { openDoor, problemIn } from './door.ts'
import { decisionOf, OTHER_ROUTE, ROUTE } from './fake-worker.ts'

async function doorWithDecisions() {
  const door = await openDoor()
  for (const generation of [1, 2, 3]) door.worker.record(decisionOf(generation))
  door.worker.record(decisionOf(8, OTHER_ROUTE))
  return door
}

test('without a generation the list holds the newest decision of every route', async () => {
  const { url } = await doorWithDecisions()
  const response = await fetch(`${url}/v1/decisions`)
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8')
  expect(await response.json()).toEqual([
    decisionToWire(decisionOf(3)),
    decisionToWire(decisionOf(8, OTHER_ROUTE)),
  ])
})

test('a route narrows it to its newest decision', async () => {
  const { url } = await doorWithDecisions()
  const response = await fetch(`${url}/v1/decisions?route=${encodeURIComponent(ROUTE)}`)
  expect(await response.json()).toEqual([decisionToWire(decisionOf(3))])
})

test('a generation asks for all later decisions of the route, in order', async () => {
  const { url } = await doorWithDecisions()
  const response = await fetch(`${url}/v1/decisions?route=${ROUTE}&after=1`)
  expect(await response.json()).toEqual([
    decisionToWire(decisionOf(2)),
    decisionToWire(decisionOf(3)),
  ])
  expect(await (await fetch(`${url}/v1/decisions?route=${ROUTE}&after=3`)).json()).toEqual([])
})

test.each([
  ['after=1', 'one route'],
  [`route=${ROUTE}&after=x`, 'not a generation'],
  [`route=${ROUTE}&after=-1`, 'not a generation'],
  [`route=${ROUTE}&after=`, 'one value'],
  ['route=', 'one value'],
  ['route=a/b&route=c/d', 'one value'],
  ['route=production', 'not a route'],
  ['route=%00/x', 'not a route'],
])('?%s is answered 400 and says why', async (query, why) => {
  const { url } = await openDoor()
  const response = await fetch(`${url}/v1/decisions?${query}`)
  expect(response.status).toBe(400)
  expect((await problemIn(response))['detail']).toContain(why)
})

test('the stream, too, refuses what is no route', async () => {
  const { url } = await openDoor()
  const response = await fetch(`${url}/v1/decisions/stream?route=production`)
  expect(response.status).toBe(400)
})
