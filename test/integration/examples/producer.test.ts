import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { canRun, examplePath, runExample } from '../../support/example-process.ts'
import { runHaldane } from '../../support/run-haldane.ts'
import { startWorkerProcess } from '../../support/worker-process.ts'
import { scriptWorker } from './scripted-worker.ts'

const events = Array.from({ length: 2500 }, (_, index) => `{"request_id":"r-${index}"}`)

function fileOf(lines: readonly string[]): string {
  const dir = mkdtempSync(join(tmpdir(), 'haldane-producer-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  const file = join(dir, 'events.ndjson')
  writeFileSync(file, `${lines.join('\n')}\n`)
  return file
}

/** Sends `lines` to a worker that gives these answers in order, then 200 for ever. */
async function send(
  [command, script]: readonly [string, string],
  lines: readonly string[],
  answers: readonly { status: number; headers?: Record<string, string>; body?: unknown }[],
  env: Record<string, string> = {},
) {
  const left = [...answers]
  const worker = await scriptWorker(({ body }) => {
    const accepted = body.trimEnd().split('\n').length
    return left.shift() ?? { status: 200, body: { accepted, rejected: 0, stored: true } }
  })
  const run = await runExample(command, [examplePath(script), fileOf(lines)], {
    ...{ WORKER_URL: worker.url, PYTHONDONTWRITEBYTECODE: '1' },
    ...env,
  })
  const totals = JSON.parse(run.stdout) as Record<string, number>
  return { run, totals, requests: worker.requests }
}

const hasCurl = canRun('curl', '--fail-with-body', '--version')
const hasRequests = canRun('python3', '-c', 'import requests')

describe.each([
  ['http-producer.mjs', [process.execPath, 'producer/http-producer.mjs'], true],
  ['http_producer.py', ['python3', 'producer/http_producer.py'], hasRequests],
] as const)('%s', (_, program, runnable) => {
  it.skipIf(!runnable)('sends every event once, in order, in batches, with its token', async () => {
    const { run, totals, requests } = await send(program, events, [], { HALDANE_TOKEN: 'sesame' })
    expect([run.exitCode, run.stderr]).toEqual([0, ''])
    expect(totals).toMatchObject({ accepted: 2500, rejected: 0 })
    expect(requests.map(({ body }) => body).join('')).toBe(`${events.join('\n')}\n`)
    expect(requests.length).toBeLessThan(10)
    expect(requests[0]?.headers).toMatchObject({
      'content-type': 'application/x-ndjson',
      authorization: 'Bearer sesame',
    })
  })

  it.skipIf(!runnable)(
    'repeats a batch byte for byte, after the pause the worker asks for',
    async () => {
      const { totals, requests } = await send(program, events.slice(0, 10), [
        { status: 429, headers: { 'retry-after': '1' } },
        { status: 503, headers: { 'retry-after': '1' } },
        { status: 500 },
      ])
      expect(totals).toMatchObject({ accepted: 10 })
      const [first, second, third] = requests
      expect(requests.map(({ body }) => body)).toEqual(requests.map(() => first?.body))
      expect(requests.length).toBe(4)
      expect((second?.atMs ?? 0) - (first?.atMs ?? 0)).toBeGreaterThanOrEqual(990)
      expect((third?.atMs ?? 0) - (second?.atMs ?? 0)).toBeGreaterThanOrEqual(990)
    },
  )

  it.skipIf(!runnable)(
    'repeats neither what is not valid nor what is refused for ever',
    async () => {
      const errors = [{ index: 1, field: 'outcome', code: 'missing', message: 'is missing' }]
      const some = await send(program, events.slice(0, 3), [
        { status: 422, body: { accepted: 2, rejected: 1, stored: true, errors } },
      ])
      expect(some.requests.length).toBe(1)
      expect(some.totals).toMatchObject({ accepted: 2, rejected: 1 })
      expect(some.run.stderr).toBe('rejected: outcome: is missing in {"request_id":"r-1"}\n')

      const all = await send(program, events.slice(0, 3), [{ status: 401, body: 'no' }])
      expect(all.requests.length).toBe(1)
      expect(all.totals).toMatchObject({ accepted: 0, rejected: 3 })
      expect(all.run.stderr).toContain('401')
    },
  )
})

describe('the Python examples', () => {
  it
    .skipIf(!canRun('python3', '--version'))
    .each(['http_producer.py', 'kafka_producer.py', 'sample_events.py'])(
    '%s compiles',
    async (file) => {
      const path = examplePath(`producer/${file}`)
      const dir = mkdtempSync(join(tmpdir(), 'haldane-pycache-'))
      onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
      const run = await runExample('python3', ['-m', 'py_compile', path], {
        PYTHONPYCACHEPREFIX: dir,
      })
      expect([run.exitCode, run.stderr]).toEqual([0, ''])
    },
  )
})

describe('the examples on a worker', () => {
  it('store what they made up, each event once', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'haldane-producer-'))
    onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
    const token = 'a token of the examples'.replaceAll(' ', '-')
    const worker = await startWorkerProcess({ HALDANE_DATA_DIR: dir, HALDANE_TOKEN: token })
    onTestFinished(() => worker.kill())
    await worker.ready()
    const env = { WORKER_URL: worker.url, HALDANE_TOKEN: token, PYTHONDONTWRITEBYTECODE: '1' }
    const run = async (command: string, ...args: string[]) => {
      const { exitCode, stdout, stderr } = await runExample(command, args, env)
      expect([exitCode, stderr]).toEqual([0, ''])
      return stdout
    }

    let expected = 100
    const made = await run(process.execPath, examplePath('producer/http-producer.mjs'))
    expect(JSON.parse(made)).toMatchObject({ sent: 100, accepted: 100, rejected: 0, dropped: 0 })
    if (hasRequests) {
      const made = await run('python3', examplePath('producer/http_producer.py'))
      expect(JSON.parse(made)).toEqual({ accepted: 100, rejected: 0 })
      expected += 100
    }
    if (hasCurl) {
      const answers = await run(examplePath('producer/curl.sh'))
      const accepted = [...answers.matchAll(/"accepted":(\d+),"rejected":0/g)].map(([, n]) => n)
      expect(accepted).toEqual(['1', '2', '2', '1'])
      expected += 6
    }
    expect(await worker.stop()).toBe(0)
    const rows = await runHaldane(
      [
        'sql',
        '--json',
        'SELECT uniqExact(request_id) AS events, count() AS rows FROM request_events',
      ],
      { env: { HALDANE_DATA_DIR: dir } },
    )
    expect(JSON.parse(rows.stdout)).toEqual({ events: expected, rows: expected })
  })
})
