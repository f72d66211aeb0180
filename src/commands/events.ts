import type { WorkerClient } from '../adapters/http/client.ts'
import { createKafkaBus } from '../adapters/kafka/bus.ts'
import type { WorkerEnvironment } from '../app.ts'
import type { Config } from '../config.ts'
import { NO_HEADERS } from '../contract/cloud-event.ts'
import { REQUEST_EVENTS } from '../contract/event-format.ts'
import { createLineSplitter } from '../contract/event-lines.ts'
import { HaldaneError } from '../domain/errors.ts'
import type { Rejection } from '../domain/request-event.ts'
import { TOPICS } from '../domain/topics.ts'
import { createFileJudge } from '../pipeline/file-judge.ts'
import { type FileSenderOptions, type SendTotals, sendFile } from '../pipeline/file-sender.ts'
import { submitThroughKafka } from '../pipeline/submit.ts'
import { EXIT_DONE, EXIT_FAILED, EXIT_INVALID } from './failure.ts'
import { formatCount } from './figures.ts'
import { openInput } from './input-file.ts'
import { createRejectionReport, renderRejection } from './rejection-report.ts'
import { createProgress, type Terminal } from './terminal.ts'

/**
 * Says of each line whether it is a valid event; every problem on stdout, as text or as
 * `{"line","field","code","message"}`. Exit code 2 when there is one.
 */
export async function validateEvents(
  file: string,
  { json = false }: { readonly json?: boolean },
  terminal: Terminal,
  { clock }: Pick<WorkerEnvironment, 'clock'>,
): Promise<number> {
  const chunks = await openInput(file)
  const splitter = createLineSplitter()
  const progress = createProgress(terminal, () => clock.now())
  let valid = 0
  let invalid = 0
  const judge = createFileJudge({
    format: REQUEST_EVENTS,
    onAccepted: () => {
      valid++
    },
    onRejected: (line, rejections) => {
      invalid++
      for (const rejection of rejections) {
        const { field, code, message } = rejection
        if (json) terminal.out(JSON.stringify({ line, field, code, message }))
        else terminal.out(renderRejection(file, line, rejection))
      }
    },
  })
  for await (const chunk of chunks) {
    for (const line of splitter.push(chunk)) judge.take(line)
    progress(() => `looked at ${formatCount(valid + invalid)} events …`)
  }
  for (const line of splitter.end()) judge.take(line)
  judge.end()
  const events = valid + invalid
  if (json) terminal.out(JSON.stringify({ summary: { events, valid, invalid } }))
  else {
    const counts = `${formatCount(valid)} valid, ${formatCount(invalid)} invalid`
    terminal.note(`${file}: ${formatCount(events)} events, ${counts}`)
  }
  return invalid === 0 ? EXIT_DONE : EXIT_INVALID
}

/** Where `events send` sends to. */
export interface EventDoor {
  /** For people. */
  readonly name: string
  readonly send: FileSenderOptions<unknown>['send']
  close(): Promise<void>
}

/** The worker, over HTTP. */
export function workerDoor(client: Pick<WorkerClient, 'submit'>, url: string): EventDoor {
  return {
    name: `the worker at ${url}`,
    async send(values) {
      const { accepted, errors } = await client.submit(values)
      const rejected = new Map<number, Rejection[]>()
      for (const { index, field, code, message } of errors) {
        const reasons = rejected.get(index) ?? []
        reasons.push({ field, code: code as Rejection['code'], message })
        rejected.set(index, reasons)
      }
      const named = [...rejected].map(([index, rejections]) => ({ index, rejections }))
      return { accepted, rejected: named }
    },
    close: async () => undefined,
  }
}

/** The topic of request events. */
export function kafkaDoor(
  kafka: NonNullable<Config['kafka']>,
  { log, clock }: Pick<WorkerEnvironment, 'log' | 'clock'>,
): EventDoor {
  const bus = createKafkaBus({ ...kafka, clientId: 'haldane-send', log, clock })
  const topic = TOPICS.requests.name
  const submit = submitThroughKafka(bus, topic, REQUEST_EVENTS)
  return {
    name: `${topic} on ${kafka.brokers.join(',')}`,
    send: (values) => submit(values, clock.now(), NO_HEADERS),
    close: () => bus.close(),
  }
}

/** Sends the events of a file. Exit code 1 when something was refused. */
export async function sendEvents(
  file: string,
  options: { readonly rate?: string; readonly json?: boolean },
  door: EventDoor,
  terminal: Terminal,
  { clock }: Pick<WorkerEnvironment, 'clock'>,
): Promise<number> {
  const rate = options.rate === undefined ? null : parseRate(options.rate)
  const report = createRejectionReport(file, terminal)
  const progress = createProgress(terminal, () => clock.now())
  const totals: SendTotals = { events: 0, accepted: 0, refused: 0 }
  try {
    const chunks = await openInput(file)
    await sendFile(
      {
        ...{ chunks, clock, rate, format: REQUEST_EVENTS },
        send: door.send,
        onRefused: report.add,
        onProgress: ({ accepted }) => progress(() => `sent ${formatCount(accepted)} events …`),
        onRetry: ({ message }, delayMs) =>
          terminal.note(`${message.replace(/\.$/, '')}; trying again in ${delayMs / 1000} s`),
      },
      totals,
    )
  } catch (thrown) {
    if (totals.accepted > 0) {
      const sent = `${formatCount(totals.accepted)} events had arrived`
      terminal.note(`${sent}; send the file again: what is there already counts once`)
    }
    throw thrown
  } finally {
    report.end(totals.refused)
    await door.close()
  }
  const { events, accepted, refused } = totals
  if (options.json === true) terminal.out(JSON.stringify({ events, accepted, refused }))
  const counts = `${formatCount(accepted)} accepted, ${formatCount(refused)} refused`
  terminal.note(`${formatCount(events)} events to ${door.name}: ${counts}`)
  return refused === 0 ? EXIT_DONE : EXIT_FAILED
}

function parseRate(text: string): number {
  const rate = /^\d{1,9}(\.\d{1,6})?$/.test(text) ? Number(text) : 0
  if (rate > 0) return rate
  throw new HaldaneError('usage', `--rate: "${text}" is no number of events a second`, {
    remedy: 'write a number above 0, or leave it out',
  })
}
