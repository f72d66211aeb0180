import { describe, expect, it } from 'vitest'
import { createSleepers, holdsAny } from '../../../src/pipeline/sleeping-partitions.ts'
import type { PartitionProgress } from '../../../src/ports.ts'

const NOW = 1_000_000
const IDLE = 30_000
const TOPICS = { requests: 'requests', feedback: 'feedback' }

function row(overrides: Partial<PartitionProgress>): PartitionProgress {
  return {
    ...{ topic: 'requests', partition: 0, nextOffset: 1, maxEventTimeMs: 500 },
    ...{ caughtUp: true, updatedAtMs: NOW, ...overrides },
  }
}

/** Sleepers of a topic over a store with these rows, a lane, and what was done in order. */
function open(topic: string, rows: readonly PartitionProgress[]) {
  const done: string[] = []
  const lane = {
    partition: 0,
    lastStoredMs: 0,
    intake: { raise: (timeMs: number) => done.push(`raise ${timeMs}`) },
  }
  const sleepers = createSleepers<typeof lane>({
    store: {
      async progress(of) {
        done.push(`read ${of}`)
        return rows.filter((candidate) => candidate.topic === of)
      },
    },
    clock: { now: () => NOW, sleep: async () => undefined },
    topic,
    blockTopics: TOPICS,
    idleTimeoutMs: IDLE,
    persist: (_, operation) => operation(),
    async saveProgress(_, caughtUp) {
      done.push(`save ${caughtUp}`)
    },
  })
  return { sleepers, lane, done }
}

const READ = ['read requests', 'read feedback']
const SLEPT = { updatedAtMs: NOW - IDLE - 1 }

describe('a partition that begins to be read', () => {
  it('of feedback without records holds nothing up: nothing is saved', async () => {
    const { sleepers, lane, done } = open('feedback', [])
    await sleepers.announce(lane, row({ topic: 'feedback', updatedAtMs: 77 }), false, false)
    expect(done).toEqual([])
    expect(lane.lastStoredMs).toBe(77)
    await sleepers.announce(lane, undefined, false, false)
    expect(lane.lastStoredMs).toBe(0)
  })

  it('of feedback that slept is read after what was closed without it, once it holds blocks', async () => {
    const { sleepers, lane, done } = open('feedback', [row({ maxEventTimeMs: 900 })])
    await sleepers.announce(lane, row({ topic: 'feedback', ...SLEPT }), true, false)
    expect(done).toEqual(['save true', ...READ, 'raise 900'])
    expect(lane.lastStoredMs).toBe(NOW)
  })

  it.each([
    ['was read a moment ago', row({ topic: 'feedback' }), false],
    ['begins with a batch made before', row({ topic: 'feedback', ...SLEPT }), true],
  ])('of feedback that %s goes on where it was', async (_, before, begun) => {
    const { sleepers, lane, done } = open('feedback', [row({ maxEventTimeMs: 900 })])
    await sleepers.announce(lane, before, true, begun)
    expect(done).toEqual(['save true'])
  })

  it('of requests is waited for', async () => {
    const { sleepers, lane, done } = open('requests', [])
    await sleepers.announce(lane, undefined, true, false)
    expect(done).toEqual(['save true'])
  })
})

describe('a partition that wakes up', () => {
  it('says so first, then reads how far blocks were closed without it', async () => {
    const others = [row({ partition: 1, maxEventTimeMs: 800 }), row({ maxEventTimeMs: 100 })]
    const { sleepers, lane, done } = open('requests', others)
    await sleepers.wake(lane)
    expect(done).toEqual(['save false', ...READ, 'raise 800'])
    await sleepers.wake(lane)
    expect(done).toHaveLength(4)
  })

  it('of feedback is late for blocks of requests that sleep as well', async () => {
    const asleep = row({ maxEventTimeMs: 700, ...SLEPT })
    const feedback = open('feedback', [asleep, row({ topic: 'feedback', maxEventTimeMs: 3 })])
    await feedback.sleepers.wake(feedback.lane)
    expect(feedback.done.at(-1)).toBe('raise 700')
    const requests = open('requests', [{ ...asleep, partition: 1 }])
    await requests.sleepers.wake(requests.lane)
    expect(requests.done.at(-1)).toBe('read feedback')
  })

  it('is not late for blocks that another feedback partition held open', async () => {
    const slow = row({ topic: 'feedback', partition: 1, maxEventTimeMs: 400 })
    const { sleepers, lane, done } = open('feedback', [row({ maxEventTimeMs: 900 }), slow])
    await sleepers.wake(lane)
    expect(done.at(-1)).toBe('raise 400')
  })
})

describe('holdsAny', () => {
  it.each([
    [{ first: 0, end: 0 }, 0, false],
    [{ first: 0, end: 5 }, 5, false],
    [{ first: 0, end: 6 }, 5, true],
    [{ first: 7, end: 7 }, 5, false],
    [undefined, 0, false],
  ])('of %o from %i on is %s', (kept, from, holds) => {
    expect(holdsAny(kept, from)).toBe(holds)
  })
})
