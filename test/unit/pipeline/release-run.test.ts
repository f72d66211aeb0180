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

describe('a run whose routers acknowledge', () => {
  const GENERATION = 4
  const ack = (generation: number, atMs: number) => [
    { route: 'm/production', routerId: 'edge', appliedGeneration: generation, appliedAtMs: atMs },
  ]
  const traffic = (index: number, canary: number) =>
    blockOf(index, [
      cellOf('stable', EN, metricsOf(1000 - canary)),
      cellOf('canary', EN, metricsOf(canary)),
    ])

  function started() {
    const run = newRun()
    run.start('ada')
    run.begin(HISTORY)
    return run
  }

  it('compares the split with the weight only from their ack on', () => {
    const run = started()
    run.noteAcks(ack(GENERATION - 1, START_MS))
    expect(run.awaitsRouters).toBe(true)
    for (let block = 0; block < 5; block++) run.onBlock(traffic(block, 10))
    expect(run.assessment?.split.requests).toBe(0)
    run.noteAcks(ack(GENERATION, traffic(5, 100).startMs))
    expect(run.awaitsRouters).toBe(false)
    for (let block = 5; block < 8; block++) run.onBlock(traffic(block, 100))
    expect(run.assessment?.split).toMatchObject({ requests: 3000, sampleRatioBroken: false })
  })

  it('takes the first ack of a step: later ones are of heartbeats', () => {
    const run = started()
    run.noteAcks(ack(GENERATION, START_MS))
    run.noteAcks(ack(GENERATION + 3, START_MS + 3_600_000))
    run.onBlock(traffic(0, 100))
    expect(run.assessment?.split.requests).toBe(1000)
  })

  it('holds while one of them has not applied the step in time, and names it', () => {
    const run = started()
    run.noteAcks(ack(GENERATION - 1, START_MS))
    const codes: string[][] = []
    for (let block = 0; block < 12; block++) {
      const decision = run.onBlock(traffic(block, 10))
      if (decision !== null) codes.push(decision.reasons.map(({ code }) => code))
    }
    expect(codes[0]).not.toContain('router_not_applied')
    expect(codes.at(-1)).toContain('router_not_applied')
    const said = run.newest?.reasons.find(({ code }) => code === 'router_not_applied')
    expect(said?.message).toContain('generation 4 or later from edge')
  })

  it('starts again with what the acks say before it takes up its blocks', async () => {
    const first = started()
    const decisions = [first.newest!]
    const blocks = Array.from({ length: 12 }, (_, block) => traffic(block, 100))
    for (const block of blocks) {
      const decision = first.onBlock(block)
      if (decision !== null) decisions.push(decision)
    }
    const run = newRun()
    run.begin(HISTORY)
    run.noteAcks(ack(GENERATION, blocks[6]!.startMs))
    await run.restore(decisions, fed(...blocks))
    run.onBlock(traffic(12, 100))
    expect(run.assessment?.split.requests).toBe(7000)
  })

  it('takes the split as it is where it follows no decision', () => {
    const run = createReleaseRun({
      ...{ releaseId: 'm/production/1.1.0', spec: specOf([ERROR_MAX]), startedAtMs: START_MS },
      ...{ lastGeneration: 3, decidedAt: (watermarkMs: number) => watermarkMs },
      split: 'observed',
    })
    run.start('ada')
    run.begin(HISTORY)
    for (let block = 0; block < 30; block++) run.onBlock(traffic(block, 500))
    expect(run.assessment?.split).toMatchObject({ planned: null, sampleRatioBroken: false })
  })
})
