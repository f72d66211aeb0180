import { describe, expect, it } from 'vitest'
import { createReleaseRun } from '../../../src/pipeline/release-run.ts'
import { idleReason } from '../../../src/rollout/reasons.ts'
import {
  blockOf,
  cellOf,
  EN,
  ERROR_MAX,
  metricsOf,
  START_MS,
  specOf,
} from '../judge/judge-builders.ts'

const BLOCK = blockOf(0, [
  cellOf('stable', EN, metricsOf(900, 4)),
  cellOf('canary', EN, metricsOf(100)),
])
const HISTORY = [{ cohort: EN, metrics: metricsOf(5000, 25) }]

function newRun(releaseId = 'm/production/1.1.0') {
  return createReleaseRun({
    ...{ releaseId, spec: specOf([ERROR_MAX]), startedAtMs: START_MS },
    ...{ lastGeneration: 3, decidedAt: (watermarkMs: number) => watermarkMs + 1 },
  })
}

async function* fed(...blocks: (typeof BLOCK)[]) {
  yield* blocks
}

describe('a run that has no decision yet', () => {
  it('says nothing to blocks, commands and silence', () => {
    const run = newRun()
    run.begin(HISTORY)
    expect(run.onBlock(BLOCK)).toBeNull()
    expect(run.onCommand('pause', 'ada', '')).toBeNull()
    expect(run.onIdle(idleReason('no_traffic', 1000))).toBeNull()
    expect([run.newest, run.finished]).toEqual([null, false])
  })

  it('takes up nothing where nothing was recorded', async () => {
    await expect(newRun().restore([], fed())).rejects.toThrow(/nothing to restore/)
  })
})

describe('a run without its history', () => {
  it('folds no block, and needs no bins and no baseline', () => {
    const run = newRun()
    run.start('ada')
    expect(run).toMatchObject({ begun: false, slowBins: [], missingBaseline: 0 })
    expect(() => run.onBlock(BLOCK)).toThrow(/no history before a block/)
  })

  it('takes up what was recorded before the first block', async () => {
    const first = newRun().start('ada')
    const run = newRun()
    expect(await run.restore([first], fed())).toEqual([])
    expect(run).toMatchObject({ newest: first, assessment: null, windowEndMs: START_MS })
  })
})

describe('a run', () => {
  it.each([
    ['', false],
    ['~2', true],
    ['~13', true],
  ])('of try "%s" says whether earlier tries count', (attempt, said) => {
    const message = newRun(`m/production/1.1.0${attempt}`).start('ada').reasons[0]?.message
    const words = `; try ${attempt.slice(1)} of this version has an error budget of its own, and evidence of earlier tries is not counted`
    expect(message?.endsWith(said ? words : 'starts at weight 10 of 100 beside 1.0.0')).toBe(true)
  })

  it('numbers its decisions after the newest of the route, also those by silence', () => {
    const run = newRun()
    const first = run.start('ada')
    run.begin(HISTORY)
    const second = run.onBlock(BLOCK)
    const third = run.onIdle(idleReason('stale_data', 90_000))
    expect([first, second, third].map((one) => one?.generation)).toEqual([4, 5, 6])
    expect(third).toMatchObject({ action: 'hold', decidedBy: 'analyzer', window: second?.window })
  })
})
