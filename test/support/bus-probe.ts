import { setTimeout as sleep } from 'node:timers/promises'
import type { Bus, BusRecord, Clock, Consumer, Log, RecordBatch } from '../../src/ports.ts'

/** The real time; ends a sleep early when told to. */
export const realClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) => sleep(ms, undefined, signal ? { signal } : {}).catch(() => undefined),
}

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly message: string
  readonly fields: object
}

/** A log that keeps its lines. */
export function createLogProbe(): Log & { readonly lines: LogLine[] } {
  const lines: LogLine[] = []
  const write = (level: LogLine['level']) => (fields: object, message: string) => {
    lines.push({ level, message, fields })
  }
  const log = {
    lines,
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: () => log,
  }
  return log
}

export const textOf = (bytes: Uint8Array | null): string | null =>
  bytes === null ? null : Buffer.from(bytes).toString()

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

/** Waits for a condition, or fails with what was waited for. */
export async function eventually(what: string, condition: () => boolean, limitMs = 30_000) {
  const end = Date.now() + limitMs
  while (!condition()) {
    if (Date.now() > end) throw new Error(`waited ${limitMs} ms in vain until ${what}`)
    await sleep(5)
  }
}

/** A promise that somebody else resolves. */
export function createGate(): { readonly passed: Promise<void>; open(): void } {
  let open = () => {}
  const passed = new Promise<void>((resolve) => {
    open = resolve
  })
  return { passed, open: () => open() }
}

/** A consumer that keeps what it is told. */
export interface ConsumerProbe {
  readonly consumer: Consumer
  readonly assignments: { readonly number: number; readonly partitions: readonly number[] }[]
  readonly batches: RecordBatch[]
  readonly crashes: Error[]
  /** All records so far, in the order they came. */
  records(): BusRecord[]
  /** Waits until as many records came; rejects when there are more, and says which. */
  received(count: number): Promise<void>
  values(): (string | null)[]
}

export async function probeConsumer(
  bus: Bus,
  topic: string,
  groupId: string,
  onBatch: (batch: RecordBatch, probe: ConsumerProbe) => Promise<void> = async () => {},
): Promise<ConsumerProbe> {
  const batches: RecordBatch[] = []
  const records = () => batches.flatMap((batch) => batch.records)
  let joined: Consumer | null = null
  const probe: ConsumerProbe = {
    get consumer() {
      if (joined === null) throw new Error('the consumer has not joined yet')
      return joined
    },
    assignments: [],
    batches,
    crashes: [],
    records,
    async received(count) {
      await eventually(`${count} records came`, () => records().length >= count)
      const places = records().map(({ partition, offset }) => `${partition}/${offset}`)
      if (places.length > count) throw new Error(`more than ${count} came: ${places.join(', ')}`)
    },
    values: () => records().map((record) => textOf(record.value)),
  }
  joined = await bus.consume({
    topic,
    groupId,
    onAssigned: (partitions, number) => probe.assignments.push({ number, partitions }),
    onBatch: async (batch) => {
      batches.push(batch)
      await onBatch(batch, probe)
    },
    onCrash: (error) => probe.crashes.push(error),
  })
  return probe
}
