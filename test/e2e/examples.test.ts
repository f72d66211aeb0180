import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, inject, it } from 'vitest'
import { generateEvents, toLines } from '../support/event-generator.ts'
import { examplePath, runExample } from '../support/example-process.ts'
import { followThroughDeaths } from '../support/router-scenario.ts'

const dir = mkdtempSync(join(tmpdir(), 'haldane-examples-'))
const ends: (() => Promise<void>)[] = []
const brokers = () => inject('kafkaBrokers').join(',')

afterAll(async () => {
  for (const end of ends) await end()
  rmSync(dir, { recursive: true, force: true })
})

async function produce(file: string): Promise<Record<string, number>> {
  const script = examplePath('producer/kafka-producer.mjs')
  const run = await runExample(process.execPath, [script, file], { KAFKA_BROKERS: brokers() })
  expect([run.exitCode, run.stderr]).toEqual([0, ''])
  return JSON.parse(run.stdout) as Record<string, number>
}

describe('examples/router and examples/producer on a real broker', () => {
  it('keep the weights without a worker, get the rollback, apply nothing twice', async () => {
    await followThroughDeaths({
      dir,
      modelName: 'routed-over-kafka',
      workerEnv: {
        HALDANE_KAFKA_BROKERS: brokers(),
        HALDANE_KAFKA_SESSION_TIMEOUT_MS: '3000',
        HALDANE_IDLE_TIMEOUT_MS: '2000',
      },
      routerEnv: () => ({ KAFKA_BROKERS: brokers() }),
      send: async (file) => (await produce(file))['delivered'] ?? 0,
      onStarted: (end) => ends.push(end),
    })
  })

  it('the producer delivers a file event by event, blank lines left out', async () => {
    const options = { seed: 3, events: 2500, startMs: Date.now() - 60_000, durationMs: 50_000 }
    const lines = toLines(generateEvents({ ...options, canaryShare: 0, modelName: 'counted' }))
    const file = join(dir, 'counted.ndjson')
    writeFileSync(file, lines.join('\r\n\r\n'))
    expect(await produce(file)).toEqual({ sent: 2500, delivered: 2500, dropped: 0, retries: 0 })
  })
})
