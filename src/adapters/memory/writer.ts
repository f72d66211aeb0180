import { HaldaneError } from '../../domain/errors.ts'
import type { BusRecord, Clock, FencedProducer, OutgoingRecord } from '../../ports.ts'
import { type FaultState, lag } from './faults.ts'
import { createSignal } from './signal.ts'
import type { Topic } from './topic.ts'
import { partitionsNamedBy, type Topics } from './topics.ts'

export interface Writer {
  /** Resolves with the records at their places, in the same order. */
  write(topic: string, records: readonly OutgoingRecord[]): Promise<BusRecord[]>
  fencedProducer(id: string): FencedProducer
  /** Memory was freed, or the bus closes: waiting writers look again. */
  wake(): void
}

export interface WriterOptions {
  readonly topics: Topics
  readonly clock: Clock
  readonly faults: FaultState
  /** Aborted when the bus closes. */
  readonly closing: AbortSignal
  readonly bufferBytesMax: number
}

/** Appends records; waits while groups leave too much uncommitted. */
export function createWriter(options: WriterOptions): Writer {
  const { topics, clock, faults, closing, bufferBytesMax } = options
  const freed = createSignal()
  const epochs = new Map<string, number>()
  let queue: Promise<void> = Promise.resolve()

  const room = async (topic: Topic) => {
    while (topic.isHeld && topics.heldBytes() >= bufferBytesMax && !closing.aborted) {
      await freed.wait()
    }
  }

  /** Writers pass in the order they came; whoever finds room may exceed the bound once. */
  const admit = (topic: Topic): Promise<void> => {
    queue = queue.then(() => room(topic))
    return queue
  }

  const write = async (name: string, records: readonly OutgoingRecord[], check: () => void) => {
    check()
    const topic = topics.named(name, partitionsNamedBy(records))
    await lag(faults, clock, closing)
    if (topic.isHeld) await admit(topic)
    check()
    return topic.append(records, clock.now())
  }

  const open = () => {
    if (closing.aborted) throw new HaldaneError('bus_unavailable', 'the bus is closed')
  }

  return {
    write: (name, records) => write(name, records, open),
    wake: freed.notify,
    fencedProducer(id) {
      const epoch = (epochs.get(id) ?? 0) + 1
      epochs.set(id, epoch)
      let closed = false
      const check = () => {
        open()
        if (closed) throw new HaldaneError('bus_unavailable', `the producer ${id} is closed`)
        if (epochs.get(id) !== epoch) throw fenced(id)
      }
      return {
        async produce(name, records) {
          await write(name, records, check)
        },
        async close() {
          closed = true
        },
      }
    },
  }
}

function fenced(id: string): HaldaneError {
  return new HaldaneError('fenced', `another producer has taken over ${id}`, {
    remedy: 'publish nothing more: whoever took over goes on',
  })
}
