import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { examplePath, runExample } from '../../support/example-process.ts'
import { followThroughDeaths } from '../../support/router-scenario.ts'

const dir = mkdtempSync(join(tmpdir(), 'haldane-router-'))
const ends: (() => Promise<void>)[] = []

afterAll(async () => {
  for (const end of ends) await end()
  rmSync(dir, { recursive: true, force: true })
})

describe('examples/router, following an embedded worker over HTTP', () => {
  it('keeps the weights without a worker, gets the rollback, applies nothing twice', {
    timeout: 240_000,
  }, async () => {
    await followThroughDeaths({
      dir,
      modelName: 'intent-classifier',
      workerEnv: {},
      routerEnv: (url) => ({ WORKER_URL: url }),
      async send(file, url) {
        const script = examplePath('producer/http-producer.mjs')
        const run = await runExample(process.execPath, [script, file], { WORKER_URL: url })
        expect([run.exitCode, run.stderr]).toEqual([0, ''])
        return (JSON.parse(run.stdout) as { accepted: number }).accepted
      },
      onStarted: (end) => ends.push(end),
    })
  })
})
