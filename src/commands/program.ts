import { Command, CommanderError, Option } from 'commander'
import type { ManualCommand } from '../rollout/rollout.ts'
import { addEventVerbs } from './event-verbs.ts'
import { EXIT_DONE, EXIT_INVALID, reportFailure } from './failure.ts'
import { readerOf } from './offline.ts'
import { addOperatorVerbs } from './operator-verbs.ts'
import type { AddVerb, Context } from './verb.ts'
import { clientOf } from './worker-address.ts'

const EXIT_CODES = `
Results go to stdout, everything else to stderr.
Exit codes: 0 done, 1 failed, 2 wrong usage or invalid input (nothing was changed).`

/** Parses the arguments and runs the verb; resolves with the exit code and never throws. */
export async function runProgram(
  argv: readonly string[],
  version: string,
  context: Context,
): Promise<number> {
  const { terminal } = context
  let code = EXIT_DONE
  const program = new Command('haldane')
    .description('Canary analysis for machine-learning releases: increase, hold or roll back.')
    .version(version)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.out(text.trimEnd()),
      writeErr: (text) => terminal.note(text.trimEnd()),
    })
    .showHelpAfterError('(haldane --help shows the verbs)')
    .addHelpText('after', EXIT_CODES)

  const verb = (command: Command, run: () => Promise<number>) =>
    command.action(async () => {
      code = await run()
    })
  addRunVerbs(program, verb, context)
  addReplay(program, verb, context)
  addEventVerbs(program, verb, context)
  addJudge(program, verb, context)
  addPlan(program, verb, context)
  addSql(program, verb, context)
  addReleaseVerbs(program, verb, context)
  addOperatorVerbs(program, verb, context)

  try {
    await program.parseAsync([...argv], { from: 'user' })
    return code
  } catch (thrown) {
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? EXIT_DONE : EXIT_INVALID
    return reportFailure(thrown, terminal)
  }
}

function addRunVerbs(program: Command, verb: AddVerb, context: Context): void {
  const demo = program
    .command('demo')
    .description('the whole thing on real models: one release is rolled back, one is promoted')
    .option('--keep', 'leave the data directory, to look into it afterwards')
    .option('--rate <n>', 'requests per second', '1500')
    .option('--seed <n>', 'seed of the arrivals', '1')
    .addHelpText('after', '\nExample:\n  haldane demo --keep')
  verb(demo, async () => {
    const { runDemo } = await import('./demo.ts')
    return runDemo(demo.opts(), context.terminal, context.environment())
  })

  const worker = program
    .command('worker')
    .description(
      'stores events, judges releases, publishes decisions; embedded unless told otherwise',
    )
    .option(
      '--role <list>',
      'of ingest,analyze,api; a part of them needs Kafka and a ClickHouse server (default: all)',
    )
    .addHelpText(
      'after',
      '\nExamples:\n  haldane worker\n  HALDANE_KAFKA_BROKERS=localhost:9092 haldane worker',
    )
  verb(worker, async () => {
    const { runWorker } = await import('./worker.ts')
    return runWorker(worker.opts(), context.terminal, context.environment())
  })

  const migrate = program
    .command('migrate')
    .description('creates or upgrades the tables; an embedded worker does it at start')
    .option('--json', 'one object')
    .addHelpText(
      'after',
      '\nExamples:\n  HALDANE_DATA_DIR=/var/lib/haldane haldane migrate\n  HALDANE_CLICKHOUSE_URL=http://clickhouse:8123 haldane migrate',
    )
  verb(migrate, async () => {
    const { runMigrate } = await import('./migrate.ts')
    return runMigrate(migrate.opts(), context.terminal, context.environment())
  })
}

function addSql(program: Command, verb: AddVerb, context: Context): void {
  const sql = program
    .command('sql <statement>')
    .description(
      'answers a reading statement: from the server, or from a data directory no worker holds',
    )
    .option('--json', 'one object a row')
    .addHelpText(
      'after',
      '\nExample:\n  haldane sql "SELECT * FROM v_decisions ORDER BY generation"',
    )
  verb(sql, async () => {
    const { runSql } = await import('./sql.ts')
    return runSql(sql.args[0] ?? '', sql.opts(), context.terminal, context.environment())
  })
}

function addReplay(program: Command, verb: AddVerb, context: Context): void {
  const replay = program
    .command('replay')
    .description('runs recorded events through the same pipeline, in event time')
    .requiredOption('--release <file>', 'release file, YAML or JSON')
    .requiredOption(
      '--events <file>',
      'request events, one JSON object a line; - is standard input',
    )
    .option('--feedback <file>', 'feedback events about them, one JSON object a line')
    .addOption(
      new Option(
        '--split <how>',
        "observed: the file's traffic split is taken as it is; assigned: compared with the step's weight",
      ).default('observed'),
    )
    .option('--start <time>', 'event time the release starts at (default: the first event)')
    .option('--control <file>', 'recorded commands, one JSON object a line')
    .option('--batch-rows <n>', 'rows per insert; results do not depend on it')
    .option('--json', 'every decision as one line of JSON')
    .addHelpText(
      'after',
      '\nExample:\n  haldane replay --release release.yaml --events events.ndjson --json > decisions.ndjson',
    )
  verb(replay, async () => {
    const { runReplay } = await import('./replay.ts')
    return runReplay(replay.opts(), context.terminal, context.environment())
  })
}

const VERDICT_CODES = '\nExit codes: 0 increase, 10 hold, 20 rollback; 2 invalid input, 1 failed.'

function addJudge(program: Command, verb: AddVerb, context: Context): void {
  const judge = program
    .command('judge')
    .description('one decision from aggregated numbers, such as those of a dashboard or a query')
    .requiredOption('--release <file>', 'release file, YAML or JSON')
    .requiredOption('--metrics <file>', 'metrics file, JSON; - is standard input')
    .option('--trust-points', 'let values without counts decide by plain comparison')
    .option('--json', 'the decision as one object')
    .addHelpText(
      'after',
      `${VERDICT_CODES}\n\nExample:\n  haldane judge --release release.yaml --metrics metrics.json`,
    )
  verb(judge, async () => {
    const { runJudge } = await import('./judge.ts')
    return runJudge(judge.opts(), context.terminal)
  })
}

function addPlan(program: Command, verb: AddVerb, { terminal }: Context): void {
  const plan = program
    .command('plan')
    .description('before a release: what it will be able to know, how soon, at which step')
    .requiredOption('--release <file>', 'release file, YAML or JSON')
    .option('--rps <n>', 'requests per second to both versions (default: those of the baseline)')
    .option('--baseline <file>', 'metrics file with rows of the stable version')
    .option('--json', 'one object')
    .addHelpText('after', '\nExample:\n  haldane plan --release release.yaml --rps 50')
  verb(plan, async () => {
    const { runPlan } = await import('./plan.ts')
    return runPlan(plan.opts(), terminal)
  })
}

const MANUAL: readonly (readonly [ManualCommand, string])[] = [
  ['pause', 'holds the traffic where it is'],
  ['resume', 'goes on after a pause; the step begins anew'],
  ['promote', 'sends all traffic to the canary'],
  ['abort', 'ends the release, all traffic to stable'],
  ['rollback', 'rolls the canary back now'],
]

function addReleaseVerbs(program: Command, verb: AddVerb, context: Context): void {
  const release = program.command('release').description('starts, shows and operates releases')
  const { terminal } = context
  const reader = (command: Command) => readerOf(clientOf(command), terminal, context.environment)
  const add = (
    usage: string,
    description: string,
    run: (verbs: typeof import('./release.ts'), command: Command) => Promise<number>,
  ): Command => {
    const command = release.command(usage).description(description)
    command
      .option('--json', 'for machines')
      .option('--url <url>', 'of the worker (default: from the environment)')
    verb(command, async () => run(await import('./release.ts'), command))
    return command
  }

  add('start <file>', 'starts the release of a file', (verbs, command) =>
    verbs.startRelease(command.args[0] ?? '', command.opts(), clientOf(command), terminal),
  )
    .option('--by <name>', 'who starts it (default: the user of this machine)')
    .option('--reason <text>', 'why')
    .option('--start <time>', 'event time from which to judge (default: now)')
    .addHelpText('after', '\nExample:\n  haldane release start release.yaml --reason "ticket 42"')
  add('list', 'all releases, newest first', (verbs, command) =>
    verbs.listReleases(command.opts(), reader(command), terminal),
  )
  add('status [release]', 'one release on one screen (default: the newest)', (verbs, command) =>
    verbs.showRelease(command.args[0], command.opts(), reader(command), terminal),
  ).addHelpText('after', '\nExample:\n  haldane release status intent-classifier/production/1.5.0')
  add('verdict <release>', 'the newest decision as an exit code, for scripts', (verbs, command) =>
    verbs.showVerdict(command.args[0] ?? '', command.opts(), reader(command), terminal),
  ).addHelpText(
    'after',
    `${VERDICT_CODES}\n\nExample:\n  haldane release verdict intent-classifier/production/1.5.0`,
  )
  add('watch [release]', 'every decision until the last one', (verbs, command) =>
    verbs.watchRelease(command.args[0], command.opts(), clientOf(command), terminal),
  )
  for (const [kind, description] of MANUAL) {
    add(`${kind} <release>`, description, (verbs, command) =>
      verbs.commandRelease(
        kind,
        command.args[0] ?? '',
        command.opts(),
        clientOf(command),
        terminal,
      ),
    )
      .option('--by <name>', 'who does it (default: the user of this machine)')
      .option('--reason <text>', 'why')
  }
}
