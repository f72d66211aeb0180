import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventForms } from '../../support/event-forms.ts'
import { runHaldane } from '../../support/run-haldane.ts'
import { freePort, startWorkerProcess, type WorkerProcess } from '../../support/worker-process.ts'

const dir = mkdtempSync(join(tmpdir(), 'haldane-events-'))
const occurredAt = new Date(Date.now() - 60_000).toISOString()
const ids = Array.from({ length: 50 }, (_, index) => `r-${index}`)
const goodLines = ids.map((id, index) => {
  const { bare, structured } = eventForms(id, occurredAt)
  return index % 2 === 0 ? bare : structured
})
const good = join(dir, 'good.ndjson')
const half = join(dir, 'half.ndjson')
const HALF = [
  goodLines[0],
  '',
  '[1]',
  goodLines[1]?.replace('"specversion":"1.0"', '"specversion":"0.3"'),
  goodLines[2]?.replace('41.25', '-1').replace('"revenue":1.5', '"revenue":"x"'),
  goodLines[3],
]
writeFileSync(good, `${goodLines.join('\n')}\n`)
writeFileSync(half, `\ufeff${HALF.join('\r\n')}`)

afterAll(() => rmSync(dir, { recursive: true, force: true }))

describe('haldane events validate', () => {
  it('has nothing to say of a file of valid events', async () => {
    const run = await runHaldane(['events', 'validate', good])
    expect(run.stdout).toBe('')
    expect(run.stderr).toContain(`${good}: 50 events, 50 valid, 0 invalid\n`)
    expect(run.exitCode).toBe(0)
  })

  it('names file, line and field of everything that is wrong', async () => {
    const run = await runHaldane(['events', 'validate', half])
    expect(run.stdout.split('\n')).toEqual([
      `${half}:3: a JSON list; expected a JSON object`,
      `${half}:4: specversion: is the text "0.3"; allowed is 1.0`,
      expect.stringContaining(`${half}:5: latency_ms: is -1; allowed is`),
      expect.stringContaining(`${half}:5: kpi.revenue: is the text "x"; allowed is`),
      '',
    ])
    expect(run.stderr).toContain(`${half}: 5 events, 2 valid, 3 invalid\n`)
    expect(run.exitCode).toBe(2)
  })

  it('gives machines one problem a line and the summary last, also of standard input', async () => {
    const input = [Buffer.from(HALF.join('\n'))]
    const run = await runHaldane(['events', 'validate', '-', '--json'], { input })
    const lines = run.stdout.trimEnd().split('\n')
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      {
        ...{ line: 3, field: '', code: 'not_an_object' },
        message: 'a JSON list; expected a JSON object',
      },
      expect.objectContaining({ line: 4, field: 'specversion', code: 'format' }),
      expect.objectContaining({ line: 5, field: 'latency_ms', code: 'range' }),
      expect.objectContaining({ line: 5, field: 'kpi.revenue', code: 'type' }),
      { summary: { events: 5, valid: 2, invalid: 3 } },
    ])
    expect(Object.keys(JSON.parse(lines[0] ?? ''))).toEqual(['line', 'field', 'code', 'message'])
    expect(run.exitCode).toBe(2)
  })

  it('says in one line why a file cannot be read', async () => {
    const run = await runHaldane(['events', 'validate', join(dir, 'none')])
    expect(run.stderr).toContain(`error: ${join(dir, 'none')}: there is no such file\n`)
    expect([run.exitCode, run.stdout]).toEqual([2, ''])
  })
})

describe('haldane events send', () => {
  let worker: WorkerProcess
  beforeAll(async () => {
    worker = await startWorkerProcess({ HALDANE_DATA_DIR: join(dir, 'data') })
    await worker.ready()
  })
  afterAll(() => worker.kill())
  const port = () => ({ HALDANE_HTTP_PORT: new URL(worker.url).port })

  it('sends a file to the worker of the environment, and again without harm', async () => {
    for (let time = 0; time < 2; time++) {
      const run = await runHaldane(['events', 'send', good, '--json'], { env: port() })
      expect(JSON.parse(run.stdout)).toEqual({ events: 50, accepted: 50, refused: 0 })
      const summary = `50 events to the worker at ${worker.url}: 50 accepted, 0 refused\n`
      expect(run.stderr).toContain(summary)
      expect(run.exitCode).toBe(0)
    }
  })

  it('sends what is valid and names the rest', async () => {
    const run = await runHaldane(['events', 'send', half, '--url', worker.url, '--rate', '100'])
    expect(run.stderr).toContain(`${half}:4: specversion: is the text "0.3"; allowed is 1.0\n`)
    expect(run.stderr).toContain('5 events to the worker')
    expect(run.stderr).toContain(': 2 accepted, 3 refused\n')
    expect(run.exitCode).toBe(1)
  })

  it('names by line what only the worker refuses, and counts what it does not name', async () => {
    const old = goodLines.map((line) => line.replaceAll(occurredAt, '2020-01-01T00:00:00Z'))
    const lines = Array.from({ length: 30 }, () => old.join('\n')).join('\n')
    const input = [Buffer.from(`\n${lines}\n${goodLines[0]}`)]
    const run = await runHaldane(['events', 'send', '-'], { env: port(), input })
    expect(run.stderr).toContain('-:2: occurred_at: 2020-01-01T00:00:00.000Z is more than 7 days')
    expect(run.stderr).toContain('… and 1 480 more rejected lines\n')
    expect(run.stderr).toContain(': 1 accepted, 1 500 refused\n')
    expect(run.exitCode).toBe(1)
  })

  it('says so when nothing answers, and what to do', async () => {
    const url = `http://127.0.0.1:${await freePort()}`
    const run = await runHaldane(['events', 'send', good, '--url', url])
    expect(run.stderr).toContain(`error: No worker answers at ${url}.\n  Start one`)
    expect(run.exitCode).toBe(1)
  })

  it.each(['0', 'fast'])('refuses the rate %s', async (rate) => {
    const run = await runHaldane(['events', 'send', good, `--rate=${rate}`], { env: port() })
    expect(run.stderr).toContain(`--rate: "${rate}" is no number of events a second`)
    expect(run.exitCode).toBe(2)
  })
})
