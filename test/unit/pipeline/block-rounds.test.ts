import { describe, expect, it } from 'vitest'
import type { ReleaseSpec } from '../../../src/domain/release.ts'
import { nextRound, recordedBlocks } from '../../../src/pipeline/block-rounds.ts'
import type { ReleaseRun } from '../../../src/pipeline/release-run.ts'
import type { BlockRange } from '../../../src/ports.ts'
import { buildSpec } from '../../support/builders.ts'
import { blockOf, guardrail, P95, P95_INCREASE } from '../judge/judge-builders.ts'

const BLOCK = 10_000
const relative = buildSpec({ guardrails: [P95_INCREASE] })
const absolute = buildSpec({ guardrails: [guardrail(P95, { kind: 'max', value: 100 })] })

function runAt(windowEndMs: number, spec: ReleaseSpec, state: Partial<ReleaseRun>): ReleaseRun {
  const rest = { releaseId: 'r', slowBins: [], missingBaseline: 0, ...state }
  return { windowEndMs, spec, ...rest } as ReleaseRun
}

describe('the next round of blocks', () => {
  const asked: number[] = []
  const store = {
    endOfEvents: (range: BlockRange, events: number) => {
      asked.push(events)
      return Promise.resolve(range.fromMs + 3 * BLOCK)
    },
  }
  const closable = { toMs: 50 * BLOCK, blocksPerRound: 20, feedback: true }

  it('is as long as it may be once the baseline is known, and has its bins', async () => {
    const run = runAt(5 * BLOCK, relative, { slowBins: [480] })
    const range = { releaseId: 'r', spec: relative, feedback: true, slowBins: [480] }
    const end = { fromMs: 5 * BLOCK, toMs: 25 * BLOCK }
    expect(await nextRound(store, run, closable)).toEqual({ ...range, ...end })
    const last = runAt(45 * BLOCK, relative, {})
    expect((await nextRound(store, last, closable)).toMs).toBe(50 * BLOCK)
  })

  it('ends with the block that may complete the baseline', async () => {
    const run = runAt(5 * BLOCK, relative, { missingBaseline: 400 })
    asked.length = 0
    expect((await nextRound(store, run, closable)).toMs).toBe(8 * BLOCK)
    expect(asked).toEqual([400])
  })

  it('asks for nothing when there is one block, or no limit relative to a quantile', async () => {
    asked.length = 0
    const one = runAt(49 * BLOCK, relative, { missingBaseline: 400 })
    expect((await nextRound(store, one, closable)).toMs).toBe(50 * BLOCK)
    const none = runAt(0, absolute, { missingBaseline: 400 })
    expect((await nextRound(store, none, closable)).toMs).toBe(20 * BLOCK)
    expect(asked).toEqual([])
  })
})

describe('recorded blocks', () => {
  it('are read a part at a time, all of them in order', async () => {
    const lengths: number[] = []
    const store = {
      readBlocks: ({ fromMs, toMs }: BlockRange) => {
        const count = (toMs - fromMs) / BLOCK
        lengths.push(count)
        return Promise.resolve(
          Array.from({ length: count }, (_, i) => ({
            ...blockOf(0, []),
            startMs: fromMs + i * BLOCK,
          })),
        )
      },
    }
    const starts: number[] = []
    const range = { releaseId: 'r', spec: relative, fromMs: 0, toMs: 300 * BLOCK }
    for await (const { startMs } of recordedBlocks(store, range)) starts.push(startMs)
    expect(starts).toEqual(Array.from({ length: 300 }, (_, i) => i * BLOCK))
    expect(lengths).toEqual([128, 128, 44])
    for await (const block of recordedBlocks(store, { ...range, toMs: 0 })) expect(block).toBeNull()
  })
})
