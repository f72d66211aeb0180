// A router on one page: it follows the decisions of one route and says which version serves a user.
//
//   node router.mjs                                # over HTTP, needs nothing but Node 20
//   KAFKA_BROKERS=localhost:9092 node router.mjs   # over Kafka, needs `npm install kafkajs`
//   curl 'http://127.0.0.1:7700/pick?user=u-42'
//
// The rules a router must keep are marked (1) to (6). They are the whole contract.
import { createHash, randomUUID } from 'node:crypto'
import { open, readFile, rename } from 'node:fs/promises'
import { createServer } from 'node:http'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'

const {
  ROUTE = 'intent-classifier/production',
  STABLE_VERSION = '1.4.2', // serves everybody until the first decision
  WORKER_URL = 'http://127.0.0.1:7625',
  HALDANE_TOKEN = '',
  KAFKA_BROKERS = '', // set: follow Kafka instead of HTTP
  ROUTER_ID = hostname(), // each router of a route needs its own
  STATE_FILE = 'router-state.json',
  PORT = '7700',
} = process.env

const nobody = [{ version: STABLE_VERSION, role: 'stable', weight: 100 }]
/** What is in use. Replaced as a whole, so that no request ever sees half a decision. */
let applied = { generation: 0, releaseId: '', traffic: nobody, totalWeight: 100, expiresAt: null }
let connected = false
const log = (text) => console.log(`${new Date().toISOString()} ${text}`)

// (1) The same user gets the same version. The canary takes the users whose hash is below its
// share, so while its weight only grows, no user goes back. The release is part of the hash: the
// next release tries its canary on other people.
export function pick(user) {
  const { traffic, totalWeight, releaseId } = applied
  const stable = traffic.find(({ role }) => role === 'stable')
  const canary = traffic.find(({ role }) => role === 'canary')
  const hash = createHash('sha256').update(`${releaseId}\n${user}`).digest().readUInt32BE()
  return canary && hash / 2 ** 32 < canary.weight / totalWeight ? canary : stable
}

// (2) A decision holds the complete desired weights, and counts only if its generation is larger
// than the last one applied: repeats and stragglers change nothing. (3) One that has expired says
// what was wanted long ago: the last weights stay. (A rollback never expires.)
async function receive(json) {
  const decision = parse(json)
  if (decision === null) return log('passed over what is no decision')
  const { generation, traffic, total_weight: totalWeight, expires_at: expiresAt } = decision
  if (decision.route !== ROUTE || !(generation > applied.generation)) return
  if (decision.mode === 'dry_run') return
  if (expiresAt !== null && Date.parse(expiresAt) <= Date.now()) {
    log(`passed over generation ${generation}: it expired at ${expiresAt}`)
    return
  }
  const sum = traffic.reduce((total, { weight }) => total + weight, 0)
  if (sum !== totalWeight || !traffic.some(({ role }) => role === 'stable')) {
    log(`passed over generation ${generation}: its weights are ${JSON.stringify(traffic)}`)
    return
  }
  const releaseId = decision.release_id
  const appliedAt = new Date().toISOString()
  const next = { generation, releaseId, traffic, totalWeight, expiresAt, appliedAt }
  // (4) On disk first: a router that dies now starts again with these weights, not with older ones.
  // A disk that is full must not keep a rollback from users, so it is applied even so.
  await save(next).catch((error) => log(`the state is not saved: ${error.message}`))
  applied = next
  const weights = traffic.map(({ version, weight }) => `${version} ${weight}`).join(' · ')
  log(`applied generation ${generation}: ${weights} (of ${totalWeight})`)
  void acknowledge()
}

/** Null for what is no decision: one broken record must not keep all others from being followed. */
function parse(json) {
  try {
    const decision = JSON.parse(json)
    return Array.isArray(decision?.traffic) ? decision : null
  } catch {
    return null
  }
}

/** A new file takes the place of the old one in one step; there is always a whole one. */
async function save(state) {
  const file = await open(`${STATE_FILE}.new`, 'w')
  try {
    await file.writeFile(JSON.stringify({ route: ROUTE, ...state }))
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(`${STATE_FILE}.new`, STATE_FILE)
}

async function restore() {
  const text = await readFile(STATE_FILE, 'utf8').catch(() => null)
  if (text === null) return
  const { route, ...state } = JSON.parse(text)
  if (route !== ROUTE) throw new Error(`${STATE_FILE} belongs to ${route}, not to ${ROUTE}`)
  applied = state
  log(`resumed at generation ${applied.generation}`)
}

// (5) Say what was applied, until it is heard; only the newest is worth repeating.
let sendAck = postAck
let acknowledged = 0
let acknowledging = false
async function acknowledge() {
  if (acknowledging) return
  acknowledging = true
  for (let failures = 0; acknowledged < applied.generation; ) {
    const { generation, traffic, appliedAt } = applied
    const ack = { route: ROUTE, router_id: ROUTER_ID, applied_generation: generation }
    try {
      await sendAck({ ...ack, applied_traffic: traffic, applied_at: appliedAt })
      acknowledged = generation
      failures = 0
    } catch (error) {
      log(`generation ${generation} is not acknowledged: ${reasonOf(error)}`)
      await sleep(backOffMs(++failures))
    }
  }
  acknowledging = false
}

// (6) Without a connection the last weights stay, and it is tried again for ever, each time a
// little later and never all routers at once.
const reasonOf = (error) => error.cause?.message ?? error.message
const backOffMs = (failures) =>
  Math.min(15_000, 250 * 2 ** Math.min(failures, 10)) * (0.5 + Math.random() / 2)

async function follow(connect) {
  for (let failures = 1; ; failures++) {
    let waitMs = 0
    try {
      await connect(() => {
        connected = true
        failures = 0
        // Once more: the worker may have lost what it knew of this router.
        acknowledged = 0
        void acknowledge()
      })
    } catch (error) {
      waitMs = error.retryAfterMs ?? 0
      log(`not connected: ${reasonOf(error)}; generation ${applied.generation} stays in use`)
    }
    connected = false
    await sleep(Math.max(waitMs, backOffMs(failures)))
  }
}

// Over HTTP: server-sent events. Last-Event-ID makes the worker send what was missed.
const authorization = HALDANE_TOKEN === '' ? {} : { authorization: `Bearer ${HALDANE_TOKEN}` }
let lastEventId = ''

async function followHttp(onOpen) {
  const silent = new AbortController()
  // The worker sends a comment every 15 s; three missing ones mean that the connection is dead.
  const giveUp = () => silent.abort(new Error('nothing was heard for 45 s'))
  const watchdog = setTimeout(giveUp, 45_000)
  try {
    const url = `${WORKER_URL}/v1/decisions/stream?route=${encodeURIComponent(ROUTE)}`
    const resume = lastEventId === '' ? {} : { 'last-event-id': lastEventId }
    const response = await fetch(url, {
      headers: { accept: 'text/event-stream', ...resume, ...authorization },
      signal: silent.signal,
    })
    if (!response.ok) throw await refusal(response)
    onOpen()
    const decoder = new TextDecoder()
    let text = ''
    for await (const chunk of response.body) {
      watchdog.refresh()
      text += decoder.decode(chunk, { stream: true })
      const events = text.split('\n\n')
      text = events.pop() // not whole yet
      for (const event of events) {
        const fields = new Map(event.split('\n').map((line) => line.split(/: (.*)/s, 2)))
        if (fields.get('event') === 'decision') await receive(fields.get('data'))
        lastEventId = fields.get('id') ?? lastEventId
      }
    }
    throw new Error('the worker ended the stream')
  } finally {
    clearTimeout(watchdog)
  }
}

async function postAck(ack) {
  const response = await fetch(`${WORKER_URL}/v1/acks`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...authorization },
    body: JSON.stringify(ack),
    signal: AbortSignal.timeout(5000),
  })
  if (!response.ok) throw await refusal(response)
}

async function refusal(response) {
  const error = new Error(`the worker answered ${response.status}: ${await response.text()}`)
  error.retryAfterMs = Number(response.headers.get('retry-after') ?? 0) * 1000
  return error
}

// Over Kafka: the topic is compacted by route, so it is read from its start every time, and the
// generation tells what is new. A group of its own per start: nothing to commit, nobody to wait for.
async function followKafka(onOpen) {
  const { Kafka, logLevel, Partitioners } = await import('kafkajs')
  const brokers = KAFKA_BROKERS.split(',')
  const kafka = new Kafka({ clientId: ROUTER_ID, brokers, logLevel: logLevel.ERROR })
  const consumer = kafka.consumer({ groupId: `haldane-router-${ROUTER_ID}-${randomUUID()}` })
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner })
  try {
    await Promise.all([consumer.connect(), producer.connect()])
    sendAck = (ack) =>
      producer.send({
        topic: 'ml.canary.routing.v1',
        messages: [{ key: ROUTE, value: JSON.stringify(ack) }],
      })
    await consumer.subscribe({ topic: 'ml.canary.decisions.v1', fromBeginning: true })
    const ended = new Promise((_, reject) => {
      consumer.on('consumer.group_join', onOpen)
      consumer.on('consumer.crash', ({ payload }) => {
        connected = false
        if (!payload.restart) reject(payload.error)
      })
    })
    await consumer.run({
      autoCommit: false,
      eachMessage: async ({ message: { key, value } }) => {
        if (key?.toString() === ROUTE && value !== null) await receive(value.toString())
      },
    })
    await ended
  } finally {
    await Promise.allSettled([consumer.disconnect(), producer.disconnect()])
  }
}

await restore()
lastEventId = applied.generation === 0 ? '' : `${ROUTE}#${applied.generation}`
void follow(KAFKA_BROKERS === '' ? followHttp : followKafka)

// The router itself. In your service, call pick() instead, and put `version` and `release_id` into
// the request event.
const server = createServer((request, response) => {
  const [path, query] = request.url.split('?', 2)
  const user = new URLSearchParams(query).get('user')
  const { expiresAt } = applied
  const expired = expiresAt !== null && Date.parse(expiresAt) <= Date.now()
  const { generation, releaseId } = applied
  let answer = { error: 'GET /pick?user=ID or GET /state' }
  let status = 200
  if (path === '/pick' && user) answer = { ...pick(user), user, generation, release_id: releaseId }
  else if (path === '/state')
    answer = { route: ROUTE, connected, expired, acknowledged, ...applied }
  else status = 404
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(`${JSON.stringify(answer)}\n`)
})
server.listen(Number(PORT), '127.0.0.1', () => {
  log(`${ROUTER_ID} routes ${ROUTE} on http://127.0.0.1:${server.address().port}`)
})
// Nothing to do at the end: what was applied is on disk.
