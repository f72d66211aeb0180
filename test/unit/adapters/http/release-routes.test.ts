import { describe, expect, test } from 'vitest'
import { decisionToWire } from '../../../../src/contract/decision.ts'
import { evidenceToWire } from '../../../../src/contract/evidence.ts'
import { HaldaneError } from '../../../../src/domain/errors.ts'
import { openDoor, problemIn } from './door.ts'
import { decisionOf, EVIDENCE, RELEASE_ID, ROUTE, viewOf } from './fake-worker.ts'

const ADDRESS = `/v1/releases/${encodeURIComponent(RELEASE_ID)}`
const FILE = 'route: intent-classifier/production\ncanary: 1.5.0 # größer\n'

describe('a release as it is shown', () => {
  test('has its plan, its newest decision and all evidence of now', async () => {
    const { url } = await openDoor()
    const response = await fetch(url + ADDRESS)
    expect(response.status).toBe(200)
    const decision = decisionToWire(decisionOf(4))
    expect(await response.json()).toEqual({
      release_id: 'intent-classifier/production/1.5.0',
      route: ROUTE,
      stable: '1.4.2',
      canary: '1.5.0',
      phase: 'ramping',
      traffic: [
        { version: '1.4.2', role: 'stable', weight: 95 },
        { version: '1.5.0', role: 'canary', weight: 5 },
      ],
      step: decision.step,
      started_at: '2026-11-23T09:58:00.000Z',
      started_by: 'mia',
      generation: 4,
      decision,
      window_end: '2026-11-23T09:59:30.000Z',
      evidence: [
        evidenceToWire(EVIDENCE),
        evidenceToWire({ ...EVIDENCE, cohort: 'overall', contribution: null }),
      ],
      coverage: 0.975,
      uncovered: [],
      canary_requests: 1400,
      sessions_seen: true,
      acks: [
        { router_id: 'edge-1', applied_generation: 3, applied_at: '2026-11-23T09:59:55.000Z' },
      ],
      spec: {
        plan: [{ weight: 5, min_duration_s: 600, min_requests: 2000 }],
        guardrails: [
          {
            metric: 'latency_p95',
            limit: 'max: 120ms',
            severity: 'critical',
            dry_run: false,
            cohorts: 'all',
          },
        ],
        key_cohorts: [{ locale: 'en-US' }],
        min_requests_per_key_cohort: 500,
        false_rollback: 0.05,
        false_pass: 0.05,
        block_length_s: 10,
        watermark_s: 30,
        warmup_s: 60,
        max_duration_s: 86_400,
        total_weight: 100,
        mode: 'enforced',
        policy: { name: 'default', hash: 'sha256:00' },
      },
    })
  })

  test('is pending without traffic before its first decision', async () => {
    const { url, worker } = await openDoor()
    worker.views = [viewOf(null)]
    expect(await (await fetch(url + ADDRESS)).json()).toMatchObject({
      phase: 'pending',
      traffic: [],
      step: null,
      generation: 0,
      decision: null,
      window_end: null,
      evidence: [],
      coverage: null,
      canary_requests: null,
    })
  })

  test('shows the evidence of its decision when this worker does not judge it', async () => {
    const { url, worker } = await openDoor()
    worker.views = [{ ...viewOf(4), assessment: null }]
    expect(await (await fetch(url + ADDRESS)).json()).toMatchObject({
      evidence: [evidenceToWire(EVIDENCE)],
      coverage: null,
    })
  })

  test('is listed with the others in the order of the worker', async () => {
    const { url, worker } = await openDoor()
    worker.views = [viewOf(4, `${RELEASE_ID}~2`), viewOf(3)]
    const list = (await (await fetch(`${url}/v1/releases`)).json()) as { release_id: string }[]
    expect(list.map((release) => release.release_id)).toEqual([`${RELEASE_ID}~2`, RELEASE_ID])
    const second = await fetch(`${url}/v1/releases/${encodeURIComponent(`${RELEASE_ID}~2`)}`)
    expect(second.status).toBe(200)
  })

  test('may have a very long id', async () => {
    const { url, worker } = await openDoor()
    const releaseId = `${'m'.repeat(128)}/${'e'.repeat(64)}/1.0.0-${'x'.repeat(58)}~12`
    worker.views = [viewOf(4, releaseId)]
    const response = await fetch(`${url}/v1/releases/${encodeURIComponent(releaseId)}`)
    expect(response.status).toBe(200)
  })

  test('that does not exist is answered 404', async () => {
    const { url } = await openDoor()
    for (const path of ['/v1/releases/x%2Fy%2F1.0.0', '/v1/releases/x%2Fy%2F1.0.0/verdict']) {
      const response = await fetch(url + path)
      expect(response.status).toBe(404)
      expect((await problemIn(response))['detail']).toContain('x/y/1.0.0')
    }
  })
})

describe('a verdict for gates', () => {
  test.each([
    ['increase', true, false],
    ['hold', false, true],
    ['rollback', false, false],
  ] as const)('%s is ok %s, inconclusive %s', async (action, ok, inconclusive) => {
    const { url, worker } = await openDoor()
    worker.views = [{ ...viewOf(4), decision: { ...decisionOf(4), action } }]
    const response = await fetch(`${url}${ADDRESS}/verdict`)
    expect(await response.json()).toMatchObject({
      data: { ok, inconclusive, action, phase: 'ramping', generation: 4, release_id: RELEASE_ID },
    })
  })

  test('of a release without a decision is to wait', async () => {
    const { url, worker } = await openDoor()
    worker.views = [viewOf(null)]
    expect(await (await fetch(`${url}${ADDRESS}/verdict`)).json()).toEqual({
      data: {
        ok: false,
        inconclusive: true,
        action: 'hold',
        phase: 'pending',
        release_id: RELEASE_ID,
        generation: 0,
        decided_at: null,
        reasons: [],
      },
    })
  })
})

describe('starting a release', () => {
  function start(url: string, query = '', headers: Record<string, string> = {}, body = FILE) {
    return fetch(`${url}/v1/releases${query}`, { method: 'POST', headers, body })
  }

  test('passes the file on as it was written, and answers 201 with where it is', async () => {
    const { url, worker } = await openDoor()
    const response = await start(url, '?by=mia&reason=new%20data', { 'x-file-name': 'intent.yaml' })
    expect(response.status).toBe(201)
    expect(response.headers.get('location')).toBe(ADDRESS)
    expect(await response.json()).toEqual({
      release_id: RELEASE_ID,
      command_id: 'c-2',
      message: 'started',
    })
    expect(worker.started).toEqual([
      { source: FILE, fileName: 'intent.yaml', by: 'mia', reason: 'new data' },
    ])
  })

  test('has a name for the file, for nobody and for no reason', async () => {
    const { url, worker } = await openDoor()
    await start(url, '', { 'content-type': 'application/json' }, '{"route":"a/b"}')
    expect(worker.started).toEqual([
      { source: '{"route":"a/b"}', fileName: 'release.yaml', by: 'unknown', reason: '' },
    ])
  })

  test.each([
    ['k%C3%BChn.yaml', 'kühn.yaml'],
    ['50%.yaml', '50%.yaml'],
  ])('the file name %s is read as %s', async (header, name) => {
    const { url, worker } = await openDoor()
    await start(url, '', { 'x-file-name': header })
    expect(worker.started[0]?.fileName).toBe(name)
  })

  test('with an invalid file is answered 422, with every problem and its place', async () => {
    const { url, worker } = await openDoor()
    worker.failure = new HaldaneError(
      'invalid_input',
      'intent.yaml:3:5: guardrails[0].max: is the number 120; a latency needs a unit: 120ms\n' +
        'intent.yaml:1:1: is empty; write keys such as route',
      { remedy: 'correct the release file' },
    )
    const response = await start(url)
    expect(response.status).toBe(422)
    const body = await problemIn(response)
    expect(body['remedy']).toBe('correct the release file')
    expect(body['errors']).toEqual([
      {
        file: 'intent.yaml',
        line: 3,
        column: 5,
        field: 'guardrails[0].max',
        message: 'is the number 120; a latency needs a unit: 120ms',
      },
      {
        file: 'intent.yaml',
        line: 1,
        column: 1,
        field: '',
        message: 'is empty; write keys such as route',
      },
    ])
  })

  test('beside an active one is answered 409', async () => {
    const { url, worker } = await openDoor()
    worker.failure = new HaldaneError('conflict', `${RELEASE_ID} is still active`)
    const response = await start(url)
    expect(response.status).toBe(409)
    expect(response.headers.get('location')).toBeNull()
  })

  test('that the worker rejects is answered 409 with its words', async () => {
    const { url, worker } = await openDoor()
    const rejection = {
      commandId: 'c-9',
      outcome: 'rejected',
      releaseId: '',
      message: 'no',
    } as const
    worker.api.startRelease = async () => rejection
    const response = await start(url)
    expect(response.status).toBe(409)
    expect(await problemIn(response)).toMatchObject({ detail: 'no', command_id: 'c-9' })
  })

  test.each([
    ['', 400, 'empty'],
    [' \n', 400, 'empty'],
    ['x'.repeat(262_145), 413, '262144'],
  ])('with the body %#. is refused', async (body, status, why) => {
    const { url, worker } = await openDoor()
    const response = await start(url, '', {}, body)
    expect(response.status).toBe(status)
    expect((await problemIn(response))['detail']).toContain(why)
    expect(worker.started).toEqual([])
  })

  test('with a body that is not UTF-8 is refused', async () => {
    const { url } = await openDoor()
    const body = new Uint8Array([0x72, 0xff])
    const response = await fetch(`${url}/v1/releases`, { method: 'POST', body })
    expect(response.status).toBe(400)
    expect((await problemIn(response))['detail']).toContain('UTF-8')
  })

  test('with a name that cannot be recorded is refused and names the field', async () => {
    const { url } = await openDoor()
    const response = await start(url, `?by=${'x'.repeat(257)}`)
    expect(response.status).toBe(422)
    expect((await problemIn(response))['errors']).toMatchObject([{ field: 'by' }])
    expect((await start(url, '?reason=%00')).status).toBe(422)
  })
})

describe('commands', () => {
  test.each(['pause', 'resume', 'promote', 'abort', 'rollback'] as const)(
    '%s is passed on with who and why',
    async (kind) => {
      const { url, worker } = await openDoor()
      const response = await fetch(`${url}${ADDRESS}/${kind}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{"by":"mia","reason":"p95"}',
      })
      expect(response.status).toBe(200)
      expect(await response.json()).toEqual({
        release_id: RELEASE_ID,
        command_id: 'c-3',
        message: `${kind} done`,
      })
      expect(worker.commanded).toEqual([{ releaseId: RELEASE_ID, kind, by: 'mia', reason: 'p95' }])
    },
  )

  test('need no body', async () => {
    const { url, worker } = await openDoor()
    expect((await fetch(`${url}${ADDRESS}/pause`, { method: 'POST' })).status).toBe(200)
    expect(worker.commanded[0]).toMatchObject({ by: 'unknown', reason: '' })
  })

  test('for a release that does not exist are answered 404', async () => {
    const { url } = await openDoor()
    const response = await fetch(`${url}/v1/releases/none/abort`, { method: 'POST' })
    expect(response.status).toBe(404)
  })

  test.each([
    ['[]', 400],
    ['"mia"', 400],
    ['{"by":', 400],
    ['{"by":7}', 422],
    ['{"reason":"\\ud800"}', 422],
  ])('with the body %s are refused', async (body, status) => {
    const { url, worker } = await openDoor()
    const response = await fetch(`${url}${ADDRESS}/abort`, { method: 'POST', body })
    expect(response.status).toBe(status)
    await problemIn(response)
    expect(worker.commanded).toEqual([])
  })

  test('that nobody knows do not exist', async () => {
    const { url } = await openDoor()
    const response = await fetch(`${url}${ADDRESS}/explode`, { method: 'POST' })
    expect(response.status).toBe(404)
  })
})
