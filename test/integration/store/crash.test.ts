import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { openEmbeddedStore } from '../../../src/adapters/clickhouse/embedded-store.ts'
import { mulberry32 } from '../../support/event-generator.ts'
import { silentLog, wallClock, withTempDir } from '../../support/temp-store.ts'
import { CRASH_BLOCKS, crashRows, crashSpec } from './crash-stream.ts'
import { naiveBlocks } from './naive-blocks.ts'

const SCRIPT = fileURLToPath(new URL('./crashing-writer.ts', import.meta.url))
const KILLS = 5
const seed = Date.now() % 1_000_000

describe('a store whose process is killed', () => {
  let dataDir = ''
  const children: ChildProcess[] = []
  withTempDir((directory) => {
    dataDir = directory
  })
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL')
  })

  /** Starts a writer and resolves when it says the word. */
  async function startWriter(word: string): Promise<ChildProcess> {
    const child = spawn(process.execPath, ['--import', 'tsx', SCRIPT, dataDir, String(seed)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    children.push(child)
    let said = ''
    await new Promise<void>((resolve, reject) => {
      child.stdout.on('data', (chunk) => {
        said += String(chunk)
        if (said.includes(word)) resolve()
      })
      child.once('exit', () => reject(new Error(`the writer ended without saying ${word}`)))
    })
    return child
  }

  const kill = async (child: ChildProcess) => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }

  it('belongs to one process at a time, and to the next one as soon as that is gone', async () => {
    const holder = await startWriter('open')
    holder.kill('SIGSTOP')
    const open = () => openEmbeddedStore({ dataDir, clock: wallClock, log: silentLog })
    await expect(open()).rejects.toMatchObject({
      code: 'data_dir_locked',
      message: expect.stringMatching(new RegExp(`${dataDir}.*pid ${holder.pid}`)),
    })
    await kill(holder)
    const store = await open()
    await store.migrate()
    await store.close()
  })

  it(`has every recorded block whole and right, and every event once, seed ${seed}`, async () => {
    const random = mulberry32(seed)
    for (let round = 0; round < KILLS; round++) {
      const child = await startWriter('open')
      await new Promise((resolve) => setTimeout(resolve, random() * 600))
      await kill(child)
    }
    const rows = crashRows(seed)
    const toMs = crashSpec.firstMs + CRASH_BLOCKS * crashSpec.spec.blocks.lengthMs
    const expected = naiveBlocks(rows, crashSpec.spec, crashSpec.firstMs, toMs)
    const range = { releaseId: 'crash', spec: crashSpec.spec, fromMs: crashSpec.firstMs, toMs }

    const store = await openEmbeddedStore({ dataDir, clock: wallClock, log: silentLog })
    const recorded = await store.readBlocks(range)
    await store.close()
    const starts = new Set(recorded.map(({ startMs }) => startMs))
    expect(recorded).toEqual(expected.filter(({ startMs }) => starts.has(startMs)))

    await startWriter('done')
    const again = await openEmbeddedStore({ dataDir, clock: wallClock, log: silentLog })
    expect(await again.readBlocks(range)).toEqual(expected)
    expect([...(await again.presentOffsets('crash', 0, 0))]).toEqual(
      rows.map(({ place }) => place.offset),
    )
    await again.close()
  })
})
