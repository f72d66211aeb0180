import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createWorkerClient, type WorkerClient } from '../adapters/http/client.ts'
import { startWorker, type WorkerEnvironment } from '../app.ts'
import { loadConfig } from '../config.ts'
import type { WireReleaseView } from '../contract/release-view-schema.ts'
import { launchFleet, type RunningFleet } from '../demo/fleet-launcher.ts'
import type { FleetStatus } from '../demo/fleet-messages.ts'
import { describeMix } from '../demo/mix.ts'
import {
  DEMO_ROUTE,
  DEMO_STABLE,
  type DemoRelease,
  RELEASE_A,
  RELEASE_B,
} from '../demo/releases.ts'
import { HaldaneError } from '../domain/errors.ts'
import { createDemoDisplay, type DemoDisplay } from './demo-display.ts'
import { renderVerdict } from './demo-screen.ts'
import { EXIT_DONE, EXIT_FAILED } from './failure.ts'
import type { Terminal } from './terminal.ts'

/** Where `--keep` leaves the data: always the same place, so that commands can name it. */
const KEPT_DIR = join('.haldane', 'demo')
const EVENTS_FILE = 'events.ndjson'
const BASELINE_MS = 3000
const POLL_MS = 250
/** A release that has not ended by then holds: it is shown as that. */
const RELEASE_MAX_MS = 90_000
const WORKER_PACE = { HALDANE_BATCH_AGE_MS: '100', HALDANE_TICK_MS: '100' }

export interface DemoArguments {
  readonly keep?: boolean
  readonly rate: string
  readonly seed: string
}

interface Stage {
  readonly client: WorkerClient
  readonly fleet: { status: FleetStatus | null; crash: HaldaneError | null }
  readonly display: DemoDisplay
  readonly clock: WorkerEnvironment['clock']
}

/** Two releases of a real model, one truly worse, one better; exit 0 when both end as they should. */
export async function runDemo(
  options: DemoArguments,
  terminal: Terminal,
  environment: WorkerEnvironment,
): Promise<number> {
  const rate = wholeNumber('--rate', options.rate, 1, 20_000)
  const seed = wholeNumber('--seed', options.seed, 0, 2 ** 31)
  const dataDir = prepareDataDir(options.keep === true)
  const env = { ...WORKER_PACE, HALDANE_DATA_DIR: dataDir, HALDANE_HTTP_PORT: '0' }
  const worker = await startWorker(loadConfig(env), environment)
  const stage: Stage = {
    client: createWorkerClient({ url: worker.url, token: null }),
    fleet: { status: null, crash: null },
    display: createDemoDisplay(terminal, environment.clock),
    clock: environment.clock,
  }
  void worker.failure.then((error) => {
    stage.fleet.crash = error
  })
  let fleet: RunningFleet | null = null
  try {
    await worker.ready
    terminal.out('Haldane demo: three builds of a language identifier serve the same users.')
    fleet = await launchFleet(
      {
        workerUrl: worker.url,
        route: DEMO_ROUTE,
        ratePerSecond: rate,
        seed,
        stableVersion: DEMO_STABLE,
        recordFile: options.keep === true ? join(dataDir, EVENTS_FILE) : null,
      },
      {
        onStatus: (status) => {
          stage.fleet.status = status
        },
        onCrash: (error) => {
          stage.fleet.crash = error
        },
      },
      { token: null },
    )
    introduce(fleet, terminal)
    await environment.clock.sleep(BASELINE_MS)
    const first = await runRelease(stage, RELEASE_A, terminal)
    const second = await runRelease(stage, RELEASE_B, terminal)
    return conclude([first, second], options.keep === true, terminal)
  } finally {
    await fleet?.stop()
    await worker.stop()
    if (options.keep !== true) rmSync(dataDir, { recursive: true, force: true })
  }
}

/** Follows one release until its last decision, or until it has held for too long. */
async function runRelease(
  stage: Stage,
  release: DemoRelease,
  terminal: Terminal,
): Promise<WireReleaseView> {
  const { client, display, clock, fleet } = stage
  const title = `Release ${release.name}: ${DEMO_STABLE} → ${release.canary}`
  const startedAtMs = clock.now()
  const { source, fileName } = release
  const { releaseId } = await client.startRelease({ source, fileName, by: 'demo', reason: title })
  display.begin(title)
  for (;;) {
    if (fleet.crash !== null) throw fleet.crash
    const view = await client.release(releaseId)
    if (view === null) throw new HaldaneError('internal', `${releaseId} has vanished`)
    const elapsedMs = clock.now() - startedAtMs
    display.show({ title, elapsedMs, fleet: fleet.status, view })
    const ended = view.decision?.expires_at === null
    if (ended && routerFollowed(fleet.status, view)) {
      display.end()
      for (const line of renderVerdict(view, terminal.color)) terminal.out(line)
      terminal.out('')
      return view
    }
    if (elapsedMs > RELEASE_MAX_MS) {
      display.end()
      return view
    }
    await clock.sleep(POLL_MS)
  }
}

function routerFollowed(status: FleetStatus | null, view: WireReleaseView): boolean {
  return (status?.router.appliedGeneration ?? 0) >= view.generation
}

function introduce(fleet: RunningFleet, terminal: Terminal): void {
  const { builds, mix, users, texts } = fleet.ready
  const names = builds.map(({ version, build }) => `${version} (${build})`).join(', ')
  terminal.out(`Builds: ${names}. ${users} users, ${texts} texts; their locales and devices:`)
  for (const line of describeMix(mix)) terminal.out(`  ${line}`)
  terminal.out('')
}

function conclude(
  [first, second]: readonly [WireReleaseView, WireReleaseView],
  kept: boolean,
  terminal: Terminal,
): number {
  const { color } = terminal
  terminal.out(color.bold('Verdicts'))
  for (const view of [first, second]) {
    const reason = view.decision?.reasons[0]?.message ?? 'no decision'
    terminal.out(`  ${view.stable} → ${view.canary}: ${color.bold(verdictWord(view))}. ${reason}`)
  }
  terminal.out('')
  const hint = kept
    ? `the data is in ${KEPT_DIR}`
    : 'after a run with --keep, which leaves the data'
  terminal.out(`Try next (${hint}):`)
  const run = `HALDANE_DATA_DIR=${KEPT_DIR} npm run --silent haldane --`
  terminal.out(`  ${run} release status ${first.release_id}`)
  terminal.out(
    `  ${run} sql "SELECT locale, device, model_version, requests, error_rate, latency_p95_ms, quality FROM v_cohort_metrics ORDER BY locale, device, model_version"`,
  )
  terminal.out(
    `  ${run} replay --release ${KEPT_DIR}/${RELEASE_B.fileName} --events ${KEPT_DIR}/${EVENTS_FILE} --start ${second.started_at}`,
  )
  const asExpected = first.phase === 'rolled_back' && second.phase === 'promoted'
  return asExpected ? EXIT_DONE : EXIT_FAILED
}

function verdictWord(view: WireReleaseView): string {
  return view.decision?.expires_at === null ? view.phase.replace('_', ' ') : 'hold'
}

function prepareDataDir(keep: boolean): string {
  if (!keep) return mkdtempSync(join(tmpdir(), 'haldane-demo-'))
  rmSync(KEPT_DIR, { recursive: true, force: true })
  mkdirSync(KEPT_DIR, { recursive: true })
  for (const { fileName, source } of [RELEASE_A, RELEASE_B]) {
    writeFileSync(join(KEPT_DIR, fileName), source)
  }
  return KEPT_DIR
}

function wholeNumber(flag: string, text: string, min: number, max: number): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= min && value <= max) return value
  throw new HaldaneError('usage', `${flag}: "${text}" is not a whole number from ${min} to ${max}`)
}
