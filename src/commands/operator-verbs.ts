import type { Command } from 'commander'
import { loadConfig } from '../config.ts'
import type { AddVerb, Context } from './verb.ts'

/** `haldane config …` and `haldane topics …`. */
export function addOperatorVerbs(program: Command, verb: AddVerb, context: Context): void {
  addConfigVerbs(program, verb, context)
  const topics = program.command('topics').description('the topics of Haldane in Kafka')
  const create = topics
    .command('create')
    .description('creates those that are missing and says whether the others fit')
    .option('--partitions <n>', 'of the two topics of events (default: 6)')
    .option('--replication-factor <n>', 'of each topic (default: that of the brokers)')
    .option('--dry-run', 'only asks Kafka whether it would')
    .option('--json', 'one object a topic')
    .addHelpText(
      'after',
      '\nExit codes: 0 all are there and fit, 1 not.\n\nExample:\n  HALDANE_KAFKA_BROKERS=kafka:9092 haldane topics create --partitions 12 --replication-factor 3',
    )
  verb(create, async () => {
    const { createMissingTopics } = await import('./topics.ts')
    const { kafka } = loadConfig(process.env)
    return createMissingTopics(create.opts(), kafka, context.terminal, context.environment())
  })
}

function addConfigVerbs(program: Command, verb: AddVerb, { terminal }: Context): void {
  const config = program.command('config').description('checks and shows the environment')
  const check = config
    .command('check')
    .description('says every problem of the HALDANE_ variables and of the files they name')
    .addHelpText('after', '\nExit codes: 0 valid, 2 not valid.')
  verb(check, async () => {
    const { runConfigCheck } = await import('./config.ts')
    return runConfigCheck(process.env, terminal)
  })
  const show = config
    .command('show')
    .description('the effective value of every variable and where it is from; secrets are masked')
    .option('--json', 'one object a variable: name, value, source')
  verb(show, async () => {
    const { runConfigShow } = await import('./config.ts')
    return runConfigShow(show.opts(), process.env, terminal)
  })
}
