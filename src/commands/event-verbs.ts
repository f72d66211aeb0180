import type { Command } from 'commander'
import { loadConfig } from '../config.ts'
import type { AddVerb, Context } from './verb.ts'
import { clientOf, urlOf } from './worker-address.ts'

/** `haldane events …`. */
export function addEventVerbs(program: Command, verb: AddVerb, context: Context): void {
  const events = program.command('events').description('looks at request events, and sends them')
  const { terminal } = context

  const validate = events
    .command('validate <file>')
    .description('says what is wrong with each line; - is standard input')
    .option('--json', 'one problem a line, the summary last')
    .addHelpText(
      'after',
      '\nExit codes: 0 every line is a valid event, 2 not.\n\nExample:\n  haldane events validate events.ndjson',
    )
  verb(validate, async () => {
    const { validateEvents } = await import('./events.ts')
    const file = validate.args[0] ?? ''
    return validateEvents(file, validate.opts(), terminal, context.environment())
  })

  const send = events
    .command('send <file>')
    .description('sends them to Kafka when HALDANE_KAFKA_BROKERS is set, else to the worker')
    .option('--rate <n>', 'events a second (default: as fast as they are taken)')
    .option('--url <url>', 'of the worker, also when there is Kafka')
    .option('--json', 'the summary as one object')
    .addHelpText(
      'after',
      '\nSending a file again is harmless: the same request in the same version counts once.' +
        '\nExit codes: 0 everything was accepted, 1 something was refused or nothing answers.' +
        '\n\nExamples:\n  haldane events send events.ndjson --rate 500\n  tail -f requests.ndjson | haldane events send -',
    )
  verb(send, async () => {
    const { kafkaDoor, sendEvents, workerDoor } = await import('./events.ts')
    const { kafka } = loadConfig(process.env)
    const { url } = send.opts<{ url?: string }>()
    const environment = context.environment()
    const door =
      kafka !== null && url === undefined
        ? kafkaDoor(kafka, environment)
        : workerDoor(clientOf(send), urlOf(send))
    return sendEvents(send.args[0] ?? '', send.opts(), door, terminal, environment)
  })
}
