import { readFileSync } from 'node:fs'
import { Validator } from '@seriousme/openapi-schema-validator'
import fastify from 'fastify'
import { describe, expect, it } from 'vitest'
import { openApiDocument } from '../../../../src/adapters/http/openapi.ts'
import { PROBLEM_KINDS } from '../../../../src/adapters/http/problem.ts'
import { addRoutes, OPEN_URLS } from '../../../../src/adapters/http/routes.ts'
import {
  FEEDBACK_EVENT_EXAMPLE,
  REQUEST_EVENT_EXAMPLE,
} from '../../../../src/contract/contract-examples.ts'
import { HaldaneError } from '../../../../src/domain/errors.ts'
import { at, brokenRefs, createDocumentJudge, pointerOf } from '../../../support/json-refs.ts'
import { openDoor } from './door.ts'
import { RELEASE_ID } from './fake-worker.ts'

interface Media {
  readonly schema?: object
  readonly example?: unknown
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>
}
type Content = Readonly<Record<string, Media>>
interface Answer {
  readonly content?: Content
  readonly headers?: Readonly<Record<string, unknown>>
}
interface Operation {
  readonly operationId: string
  readonly tags: readonly string[]
  readonly security?: readonly unknown[]
  readonly requestBody?: { readonly content: Content }
  readonly responses: Readonly<Record<string, Answer & { readonly $ref?: string }>>
}

const document = openApiDocument() as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly tags: readonly { readonly name: string }[]
}
const judge = createDocumentJudge(document, '2020-12')
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
)

describe('the OpenAPI document', () => {
  it('is the one in schemas/', () => {
    const text = readFileSync(new URL('../../../../schemas/openapi.json', import.meta.url), 'utf8')
    expect(JSON.parse(text), 'run `npm run schemas`').toEqual(document)
  })

  it('is valid in the eyes of another program, and every reference leads somewhere', async () => {
    const validator = new Validator()
    const result = await validator.validate(JSON.parse(JSON.stringify(document)))
    expect(result.errors ?? []).toEqual([])
    expect([result.valid, validator.version]).toEqual([true, '3.1'])
    expect(brokenRefs(document)).toEqual([])
  })

  it('names every operation once, under a tag that is explained', () => {
    const ids = operations.map(({ operation }) => operation.operationId)
    expect(new Set(ids).size).toBe(ids.length)
    const tags = new Set(document.tags.map(({ name }) => name))
    for (const { operation } of operations) {
      expect(operation.tags.every((tag) => tags.has(tag))).toBe(true)
    }
  })

  it('holds examples that are valid under their schemas', () => {
    let seen = 0
    const check = (content: Content | undefined, ...steps: string[]) => {
      for (const [type, media] of Object.entries(content ?? {})) {
        const pointer = pointerOf(...steps, 'content', type, 'schema')
        const given = Object.values(media.examples ?? {}).map(({ value }) => value)
        for (const value of [...given, ...('example' in media ? [media.example] : [])]) {
          seen++
          expect(judge.faults(pointer, value), pointer).toBe(null)
        }
      }
    }
    for (const { path, method, operation } of operations) {
      check(operation.requestBody?.content, 'paths', path, method, 'requestBody')
      for (const [status, answer] of Object.entries(operation.responses)) {
        check(answer.content, 'paths', path, method, 'responses', status)
      }
    }
    expect(seen).toBeGreaterThan(20)
  })
})

describe('what the server offers', () => {
  /** `METHOD address` of all routes, by what each address says of itself. */
  async function offered(): Promise<string[]> {
    const addresses = new Set<string>()
    const app = fastify()
    app.addHook('onRoute', ({ url }) => {
      addresses.add(url)
    })
    addRoutes(app, {} as Parameters<typeof addRoutes>[1])
    await app.close()
    const { url } = await openDoor()
    const found: string[] = []
    for (const address of addresses) {
      const answer = await fetch(url + address.replace(':id', 'x'), { method: 'PUT' })
      const allow = (answer.headers.get('allow') ?? '').split(', ')
      found.push(...allow.map((method) => `${method} ${address.replace(':id', '{id}')}`))
    }
    return found
  }

  it('is documented, and nothing else is', async () => {
    const documented = operations.map(({ path, method }) => `${method.toUpperCase()} ${path}`)
    const found = await offered()
    expect(documented.sort()).toEqual(found.filter((one) => !one.startsWith('HEAD')).sort())
    const headless = found.filter((one) => one.startsWith('GET'))
    const heads = found.filter((one) => one.startsWith('HEAD')).map((one) => one.slice(5))
    const without = headless.map((one) => one.slice(4)).filter((path) => !heads.includes(path))
    expect(without, 'the description says which GET has no HEAD').toEqual(['/v1/decisions/stream'])
  })

  it('is documented as open exactly where no token is asked for', async () => {
    const { url } = await openDoor({ token: 'a-long-secret-token' })
    for (const { path, method, operation } of operations) {
      const address = url + path.replace('{id}', 'x')
      const { status } = await fetch(address, { method: method.toUpperCase() })
      const open = operation.security?.length === 0
      expect([path, status === 401]).toEqual([path, !open])
      expect(OPEN_URLS.has(path)).toBe(open)
    }
  })

  it('takes events in the media types that are documented, and names the same when it refuses', async () => {
    const { url } = await openDoor()
    const content = at(document, pointerOf('paths', '/v1/events', 'post', 'requestBody', 'content'))
    const types = Object.keys(content as Content)
    const refusal = await fetch(`${url}/v1/events`, {
      method: 'POST',
      headers: { 'content-type': 'text/csv' },
      body: 'a,b',
    })
    expect((refusal.headers.get('accept') ?? '').split(', ').sort()).toEqual([...types].sort())
  })
})

/** Requests of every operation: what is sent, which status comes back. */
type Exchange = readonly [
  method: 'GET' | 'POST',
  path: string,
  status: number,
  options: {
    readonly query?: string
    readonly id?: string
    readonly body?: string
    readonly type?: string
    readonly headers?: Readonly<Record<string, string>>
    readonly failure?: HaldaneError
    readonly stored?: boolean
    readonly token?: string
    readonly ok?: boolean
  },
]

const FEEDBACK = JSON.stringify(FEEDBACK_EVENT_EXAMPLE)
const EVENT = JSON.stringify(REQUEST_EVENT_EXAMPLE)
const RELEASE = 'route: intent-classifier/production'
const COMMANDS = ['pause', 'resume', 'promote', 'abort', 'rollback']
const down = new HaldaneError('store_unavailable', 'away', { retryable: true })

const exchanges: readonly Exchange[] = [
  ['POST', '/v1/events', 200, { body: EVENT }],
  ['POST', '/v1/events', 202, { body: `${EVENT}\n`, type: 'application/x-ndjson', stored: false }],
  ['POST', '/v1/events', 400, { body: '' }],
  ['POST', '/v1/events', 413, { body: '['.padEnd(17_000_000) }],
  ['POST', '/v1/events', 415, { body: 'a,b', type: 'text/csv' }],
  ['POST', '/v1/events', 422, { body: '{"outcome":null}' }],
  ['POST', '/v1/events', 429, { body: EVENT, failure: new HaldaneError('overloaded', 'full') }],
  ['POST', '/v1/events', 507, { body: EVENT, failure: new HaldaneError('disk_full', 'full') }],
  ['POST', '/v1/events', 500, { body: EVENT, failure: new HaldaneError('internal', 'odd') }],
  ['POST', '/v1/events', 503, { body: EVENT, failure: down }],
  ['POST', '/v1/events', 401, { body: EVENT, token: 'a-long-secret-token' }],
  ['POST', '/v1/events', 403, { body: EVENT, headers: { origin: 'http://evil.example' } }],
  ['POST', '/v1/events/validate', 200, { body: EVENT }],
  ['POST', '/v1/events/validate', 200, { body: '[{"kpi":{"a":null}}]' }],
  ['POST', '/v1/events/validate', 400, { body: '[' }],
  ['POST', '/v1/feedback', 200, { body: FEEDBACK }],
  ['POST', '/v1/feedback', 202, { body: FEEDBACK, stored: false }],
  ['POST', '/v1/feedback', 422, { body: '{"request_id":null}' }],
  ['GET', '/v1/decisions', 200, {}],
  ['GET', '/v1/decisions', 200, { query: '?route=intent-classifier/production&after=0' }],
  ['GET', '/v1/decisions', 400, { query: '?route=nothing' }],
  ['GET', '/v1/decisions/stream', 400, { query: '?route=nothing' }],
  ['POST', '/v1/acks', 422, { body: '{}' }],
  [
    'POST',
    '/v1/acks',
    204,
    {
      body: '{"route":"m/e","router_id":"r","applied_generation":1,"applied_at":"2026-11-23T10:00:00Z"}',
    },
  ],
  ['GET', '/v1/releases', 200, {}],
  ['POST', '/v1/releases', 201, { body: RELEASE, type: 'application/yaml' }],
  ['POST', '/v1/releases', 400, { body: '' }],
  [
    'POST',
    '/v1/releases',
    422,
    {
      body: RELEASE,
      failure: new HaldaneError('invalid_input', 'r.yaml:3:9: canary: is missing'),
    },
  ],
  ['POST', '/v1/releases', 409, { body: RELEASE, failure: new HaldaneError('conflict', 'busy') }],
  ['POST', '/v1/releases', 413, { body: '#'.padEnd(300_000) }],
  ['GET', '/v1/releases/{id}', 200, {}],
  ['GET', '/v1/releases/{id}', 404, { id: 'none' }],
  ['GET', '/v1/releases/{id}/verdict', 200, {}],
  ['GET', '/v1/releases/{id}/verdict', 404, { id: 'none' }],
  ...COMMANDS.map(
    (kind): Exchange => ['POST', `/v1/releases/{id}/${kind}`, 200, { body: '{"by":"mia"}' }],
  ),
  ['POST', '/v1/releases/{id}/pause', 404, { id: 'none' }],
  ['POST', '/v1/releases/{id}/pause', 400, { body: '[]' }],
  ['POST', '/v1/releases/{id}/pause', 422, { body: '{"by":1}' }],
  ['GET', '/livez', 200, {}],
  ['GET', '/healthz', 200, { query: '?verbose' }],
  ['GET', '/readyz', 200, {}],
  ['GET', '/readyz', 503, { ok: false }],
  ['GET', '/metrics', 200, {}],
  ['GET', '/openapi.json', 200, {}],
  ['GET', '/asyncapi.json', 200, {}],
]

describe('what the server answers', () => {
  it.each(exchanges)('to %s %s with %i is as documented', async (method, path, status, given) => {
    const { query = '', id = RELEASE_ID, body, type = 'application/json', failure } = given
    const { url, worker } = await openDoor({ token: given.token ?? null })
    worker.failure = failure ?? null
    worker.stored = given.stored ?? true
    worker.ok = given.ok ?? true
    worker.judge = (text) => (text.includes('null') ? 'is missing' : null)
    const response = await fetch(
      url + path.replace('{id}', encodeURIComponent(id)) + query.replaceAll('/', '%2F'),
      {
        method,
        headers: { 'content-type': type, ...given.headers },
        ...(body === undefined ? {} : { body }),
      },
    )
    const text = await response.text()
    expect([status, text]).toEqual([response.status, text])

    const steps = ['paths', path, method.toLowerCase(), 'responses', String(status)]
    const documented = at(document, pointerOf(...steps)) as Answer & { $ref?: string }
    expect(documented, `${status} is not documented`).toBeDefined()
    const pointer = documented.$ref ?? pointerOf(...steps)
    const answer = at(document, pointer) as Answer
    for (const name of Object.keys(answer.headers ?? {})) {
      if (name === 'Accept' && !path.startsWith('/v1/events')) continue
      expect([name, response.headers.get(name)]).not.toEqual([name, null])
    }
    if (answer.content === undefined) {
      expect(text).toBe('')
      return
    }
    const [mediaType = ''] = (response.headers.get('content-type') ?? '').split(';')
    expect(Object.keys(answer.content)).toContain(mediaType)
    const value = mediaType.endsWith('json') ? JSON.parse(text) : text
    const schema = `${pointer}${pointerOf('content', mediaType, 'schema').slice(1)}`
    expect(judge.faults(schema, value)).toBe(null)
  })

  it('has been seen for every success but the streams, and for every kind of failure', () => {
    const seen = new Set(exchanges.map(([method, path, status]) => `${method} ${path} ${status}`))
    const successes = operations.flatMap(({ path, method, operation }) =>
      Object.keys(operation.responses)
        .filter((status) => status.startsWith('2'))
        .map((status) => `${method.toUpperCase()} ${path} ${status}`),
    )
    const unseen = successes.filter((one) => !seen.has(one))
    expect(unseen).toEqual(['GET /v1/decisions/stream 200'])
    const failing = new Set(operations.flatMap(({ operation }) => Object.keys(operation.responses)))
    const statuses = Object.values(PROBLEM_KINDS).map(({ status }) => String(status))
    const missing = statuses.filter((status) => !failing.has(status) && status !== '405')
    expect(missing).toEqual([])
  })
})
