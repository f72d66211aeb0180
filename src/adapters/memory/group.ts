import { HaldaneError } from '../../domain/errors.ts'
import type { Committed, ConsumeOptions, Consumer } from '../../ports.ts'
import { lag, takeRefusal } from './faults.ts'
import { createMember, deliver, type GroupEnvironment, type Member } from './member.ts'
import type { Reader, Topic } from './topic.ts'

/** A consumer group on one topic: every partition belongs to one member. */
export interface Group extends Reader {
  join(options: ConsumeOptions): Promise<Consumer>
  /** All members let go of their partitions, once their handlers ended, and get new ones. */
  rebalance(): Promise<void>
  /** Sets every member back to what is committed. */
  rewind(): void
}

interface GroupState {
  readonly groupId: string
  readonly topic: Topic
  readonly environment: GroupEnvironment
  readonly offsets: Map<number, Committed>
  readonly members: Set<Member>
  rebalance(): Promise<void>
}

export function createGroup(groupId: string, topic: Topic, environment: GroupEnvironment): Group {
  const members = new Set<Member>()
  let rebalancing: Promise<void> | null = null
  let again = false

  const reassignAll = async () => {
    while (again) {
      again = false
      await reassign(state)
    }
  }

  const state: GroupState = {
    groupId,
    topic,
    environment,
    offsets: new Map(),
    members,
    rebalance() {
      again = true
      for (const { assignment } of members) if (assignment !== null) assignment.closing = true
      topic.changed.notify()
      rebalancing ??= reassignAll().finally(() => {
        rebalancing = null
      })
      return rebalancing
    },
  }

  return {
    neededFrom: (partition) => startOf(state, partition),
    rebalance: state.rebalance,
    async join(options) {
      const member = createMember(options)
      members.add(member)
      await state.rebalance()
      return toConsumer(state, member)
    },
    rewind() {
      for (const { assignment } of members) {
        if (assignment === null) continue
        assignment.rewinds++
        for (const partition of assignment.partitions) {
          assignment.positions.set(partition, startOf(state, partition))
        }
      }
      topic.changed.notify()
    },
  }
}

function startOf({ offsets, topic }: GroupState, partition: number): number {
  return offsets.get(partition)?.offset ?? topic.partitions[partition]?.firstOffset ?? 0
}

async function reassign(state: GroupState): Promise<void> {
  const { members, topic } = state
  await handlersEnded(state)
  const ready = [...members].filter((member) => member.running.size === 0 && !member.ended)
  for (const member of members) if (member.running.size > 0) shutOut(state, member)
  const shares = ready.map((): number[] => [])
  topic.partitions.forEach((_, partition) => {
    shares[partition % ready.length]?.push(partition)
  })
  for (const [index, member] of ready.entries()) assign(state, member, shares[index] ?? [])
}

/** Resolves when no handler runs, or when the slowest had its time. */
async function handlersEnded({ members, environment }: GroupState): Promise<void> {
  const running = [...members].flatMap((member) => [...member.running])
  if (running.length === 0) return
  const ended = new AbortController()
  const ending = Promise.allSettled(running).then(() => ended.abort())
  const stop = AbortSignal.any([ended.signal, environment.closing])
  await Promise.race([ending, environment.clock.sleep(environment.rebalanceTimeoutMs, stop)])
}

/** Whoever still works is a zombie: it loses its partitions and joins again when it has ended. */
function shutOut(state: GroupState, member: Member): void {
  if (member.assignment !== null) member.assignment.fenced = true
  member.assignment = null
  void Promise.allSettled(member.running).then(async () => {
    if (state.members.has(member)) await state.rebalance()
  })
}

function assign(state: GroupState, member: Member, partitions: readonly number[]): void {
  if (member.ended) return
  member.assignments++
  const assignment = {
    number: member.assignments,
    partitions: new Set(partitions),
    positions: new Map(partitions.map((partition) => [partition, startOf(state, partition)])),
    closing: false,
    fenced: false,
    rewinds: 0,
  }
  member.assignment = assignment
  try {
    member.options.onAssigned(partitions, assignment.number)
  } catch (thrown) {
    crash(state, member, thrown)
    return
  }
  for (const partition of partitions) {
    deliver(member, assignment, partition, state.topic, state.environment).catch(
      (thrown: unknown) => crash(state, member, thrown),
    )
  }
}

function leave(state: GroupState, member: Member): void {
  member.ended = true
  member.assignment = null
  state.members.delete(member)
  if (state.members.size > 0) void state.rebalance()
  state.topic.changed.notify()
}

function crash(state: GroupState, member: Member, thrown: unknown): void {
  if (!state.members.has(member)) return
  leave(state, member)
  member.options.onCrash(thrown instanceof Error ? thrown : new Error(String(thrown)))
}

function toConsumer(state: GroupState, member: Member): Consumer {
  const { topic, groupId, offsets, environment } = state
  const { faults, clock, closing } = environment
  return {
    async commit(partition, nextOffset, metadata) {
      await lag(faults, clock, closing)
      const { assignment } = member
      const isOurs = assignment?.fenced === false && assignment.partitions.has(partition)
      if (!isOurs) throw fenced(state, partition)
      if (takeRefusal(faults, groupId)) {
        assignment.fenced = true
        void state.rebalance()
        throw fenced(state, partition)
      }
      offsets.set(partition, { offset: nextOffset, metadata })
      topic.trim()
      environment.onCommitted()
    },
    async committed(partition) {
      return offsets.get(partition) ?? { offset: null, metadata: '' }
    },
    pause(partitions) {
      for (const partition of partitions) member.paused.add(partition)
    },
    resume(partitions) {
      for (const partition of partitions) member.paused.delete(partition)
      topic.changed.notify()
    },
    async stop() {
      member.ended = true
      topic.changed.notify()
      await Promise.allSettled(member.running)
      if (state.members.has(member)) leave(state, member)
    },
  }
}

function fenced({ topic, groupId }: GroupState, partition: number): HaldaneError {
  const place = `${topic.spec.name}/${partition} of group ${groupId}`
  return new HaldaneError('fenced', `${place} belongs to another member of the group now`, {
    remedy: 'forget what was read of it; whoever owns it now begins at the committed offset',
  })
}
