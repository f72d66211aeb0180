import type { Cluster, Consumer } from 'kafkajs'
import { describe, expect, it } from 'vitest'
import { createKafkaContext } from '../../../../src/adapters/kafka/client.ts'
import { createCommits } from '../../../../src/adapters/kafka/commits.ts'
import { createMembership } from '../../../../src/adapters/kafka/membership.ts'
import type { Clock } from '../../../../src/ports.ts'
import { createLogProbe } from '../../../support/bus-probe.ts'

const failure = (type: string, retriable = false) =>
  Object.assign(new Error(type), { type, retriable })

/** A member that owns partition 0; each commit gets the next outcome. */
function createScene(
  outcomes: (Error | 'sent')[],
  consumer = {} as Consumer,
  cluster = {} as Cluster,
) {
  const sent: unknown[] = []
  let naps = 0
  let onNap = () => {}
  const clock: Clock = {
    now: () => 0,
    async sleep(ms) {
      if (ms > 5000) return new Promise(() => {})
      naps++
      onNap()
    },
  }
  const log = createLogProbe()
  const context = createKafkaContext({ brokers: ['b:1'], clientId: 'c', log, clock })
  const member = createMembership()
  const assignment = {
    number: 1,
    partitions: new Set([0]),
    clean: true,
    rejoin: false,
    fenced: false,
  }
  member.assignment = assignment
  member.send = async (offsets) => {
    sent.push(offsets)
    const outcome = outcomes.length > 1 ? outcomes.shift() : outcomes[0]
    if (outcome instanceof Error) throw outcome
  }
  const group = { topic: 't', groupId: 'g' }
  const commits = createCommits(context, group, member, consumer, cluster)
  return {
    member,
    assignment,
    sent,
    commit: (partition = 0) => commits.commit(partition, 42, 'm'),
    naps: () => naps,
    whenNapping(action: () => void) {
      onNap = action
    },
  }
}

describe('a commit', () => {
  it('carries offset and metadata', async () => {
    const { commit, sent } = createScene(['sent'])
    await commit()
    const partitions = [{ partition: 0, offset: '42', metadata: 'm' }]
    expect(sent).toEqual([{ topics: [{ topic: 't', partitions }] }])
  })

  it('of a partition that is not assigned is refused without asking', async () => {
    const { commit, sent, member } = createScene(['sent'])
    await expect(commit(1)).rejects.toMatchObject({
      code: 'fenced',
      message: 't/1 of group g belongs to another member of the group now',
    })
    member.assignment = null
    await expect(commit(0)).rejects.toMatchObject({ code: 'fenced' })
    expect(sent).toEqual([])
  })

  it('that the group refuses fences the assignment: the member joins again', async () => {
    for (const type of ['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION', 'REBALANCE_IN_PROGRESS']) {
      const { commit, assignment, sent } = createScene([failure(type)])
      await expect(commit()).rejects.toMatchObject({ code: 'fenced' })
      expect(assignment).toMatchObject({ rejoin: true, fenced: true })
      await expect(commit()).rejects.toMatchObject({ code: 'fenced' })
      expect(sent).toHaveLength(1)
    }
  })

  it('is repeated until the broker is back', async () => {
    const lost = failure('REQUEST_TIMED_OUT', true)
    const { commit, naps } = createScene([lost, lost, lost, 'sent'])
    await commit()
    expect(naps()).toBe(3)
  })

  it('is never repeated in the name of a later assignment', async () => {
    const scene = createScene([failure('REQUEST_TIMED_OUT', true)])
    scene.whenNapping(() => {
      scene.member.assignment = { ...scene.assignment, number: 2 }
    })
    await expect(scene.commit()).rejects.toMatchObject({ code: 'fenced' })
    expect(scene.sent).toHaveLength(1)
  })

  it('waits for a coordinator that loads, but joins again when it has moved', async () => {
    const moved = failure('NOT_COORDINATOR_FOR_GROUP', true)
    const brief = createScene([moved, moved, 'sent'])
    await brief.commit()
    expect(brief.assignment.rejoin).toBe(false)
    const forGood = createScene([moved])
    await expect(forGood.commit()).rejects.toMatchObject({ code: 'fenced' })
    expect(forGood.assignment.rejoin).toBe(true)
  })

  it('gives up after a few attempts when the consumer is being stopped', async () => {
    const { commit, member, sent } = createScene([failure('REQUEST_TIMED_OUT', true)])
    member.stopping = true
    await expect(commit()).rejects.toMatchObject({ code: 'bus_unavailable', retryable: true })
    expect(sent).toHaveLength(6)
  })

  it('that cannot succeed says why', async () => {
    const { commit } = createScene([failure('OFFSET_METADATA_TOO_LARGE')])
    await expect(commit()).rejects.toThrow(
      'cannot commit t/0 of group g: OFFSET_METADATA_TOO_LARGE',
    )
  })

  it('before the first batch is believed only when the group then has it', async () => {
    const committed: { offset: string; metadata: string }[] = []
    const offsetFetch = async () => ({ responses: [{ topic: 't', partitions: committed }] })
    const cluster = { findGroupCoordinator: async () => ({ offsetFetch }) } as unknown as Cluster
    // What kafkajs does while it is not running: nothing, without a word.
    const deaf = createScene([], { commitOffsets: async () => {} } as unknown as Consumer, cluster)
    deaf.member.send = null
    await expect(deaf.commit()).rejects.toMatchObject({ code: 'fenced' })

    const commitOffsets: Consumer['commitOffsets'] = async ([offset]) => {
      committed[0] = { offset: offset?.offset ?? '', metadata: offset?.metadata ?? '' }
    }
    const running = createScene([], { commitOffsets } as unknown as Consumer, cluster)
    running.member.send = null
    await running.commit()
    expect(committed).toEqual([{ offset: '42', metadata: 'm' }])
  })
})
