import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { ALL_CASES } from '../../simulation/cases/all.ts'
import { runRepetition } from '../../simulation/repetition.ts'
import type { Job } from '../../simulation/schedule.ts'
import { runAll } from '../../simulation/schedule.ts'
import { createStateStore } from '../../simulation/state.ts'

const directory = mkdtempSync(join(tmpdir(), 'haldane-sim-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const test = ALL_CASES.find(({ name }) => name === 'worse, p95, margin 0, +50 % scale, 50/50')!

async function run(state: string, processes: number, repetitions: number, seconds?: number) {
  const jobs: Job[] = []
  const outcomes = await runAll([{ test, repetitions }], {
    seed: 1,
    processes,
    ...(seconds === undefined ? {} : { seconds }),
    store: createStateStore(join(directory, state), 1),
    progress: { started: (all) => jobs.push(...all), finished: () => undefined },
  })
  return { outcomes: outcomes.get(test.name)!, jobs }
}

describe('a run', () => {
  it('gives the same outcomes in one process, in two, and when it goes on after a stop', async () => {
    const alone = await run('alone', 1, 60)
    const together = await run('together', 2, 60)
    await run('stopped', 1, 30)
    const resumed = await run('stopped', 2, 60)
    expect(alone.outcomes).toHaveLength(60)
    expect(together.outcomes).toEqual(alone.outcomes)
    expect(resumed.outcomes).toEqual(alone.outcomes)
    expect(alone.outcomes[41]).toEqual(runRepetition(test, 1, 41))
    expect(resumed.jobs.map(({ from }) => from)).toEqual([30, 50])
    const again = await run('stopped', 1, 60)
    expect(again.jobs).toEqual([])
  })

  it('begins nothing more when its time is over, and says what it has', async () => {
    const first = await run('limited', 1, 30)
    const nothing = await run('limited', 1, 60, 0)
    expect(nothing.jobs.map(({ from }) => from)).toEqual([30, 50])
    expect(nothing.outcomes).toEqual(first.outcomes)
  })

  it('does cases with a bar first, and the same part of each', async () => {
    const shown = ALL_CASES.find(({ name }) => name === 'late cohort, worse')!
    const jobs: Job[] = []
    await runAll([{ test: shown, repetitions: 50 }, ...[50, 100].map(planned)], {
      ...{ seed: 1, processes: 1, seconds: 0 },
      store: createStateStore(join(directory, 'order'), 1),
      progress: { started: (all) => jobs.push(...all), finished: () => undefined },
    })
    const [first, second] = [planned(50, 0).test.name, planned(100, 1).test.name]
    expect(jobs.slice(0, 6).map(({ name, from }) => [name, from])).toEqual([
      [first, 0],
      [second, 0],
      [second, 25],
      [first, 25],
      [second, 50],
      [second, 75],
    ])
    expect(jobs.slice(6).every(({ name }) => name === shown.name)).toBe(true)
  })
})

const planned = (repetitions: number, index: number) => ({
  test: { ...test, name: `copy ${index}` },
  repetitions,
})
