import { userInfo } from 'node:os'
import { basename } from 'node:path'
import type { WorkerClient } from '../adapters/http/client.ts'
import { verdictOf } from '../adapters/http/release-view.ts'
import type { WireReleaseView } from '../contract/release-view-schema.ts'
import { noSuchRelease } from '../pipeline/analyze.ts'
import type { ManualCommand } from '../rollout/rollout.ts'
import { EXIT_DONE, EXIT_OF_ACTION } from './failure.ts'
import { parseTime, readInput, readReleaseFile } from './input-file.ts'
import type { ReleaseReader } from './offline.ts'
import {
  renderDecisionLine,
  renderRelease,
  renderTraffic,
  renderVerdict,
} from './release-screen.ts'
import { renderTable, type Terminal } from './terminal.ts'

export interface Author {
  readonly by?: string
  readonly reason?: string
}

/** Starts a release on the worker; the file is checked here first, so that problems name its path. */
export async function startRelease(
  file: string,
  options: Author & { readonly json?: boolean; readonly start?: string },
  client: WorkerClient,
  terminal: Terminal,
): Promise<number> {
  readReleaseFile(file)
  const receipt = await client.startRelease({
    source: readInput(file),
    fileName: basename(file),
    ...author(options),
    ...(options.start === undefined ? {} : { startAtMs: parseTime('--start', options.start) }),
  })
  if (options.json === true) terminal.out(JSON.stringify({ release_id: receipt.releaseId }))
  else {
    terminal.out(receipt.message)
    terminal.out(`watch it with: haldane release watch ${receipt.releaseId}`)
  }
  return EXIT_DONE
}

export async function listReleases(
  options: { readonly json?: boolean },
  client: ReleaseReader,
  terminal: Terminal,
): Promise<number> {
  const views = await client.releases()
  if (options.json === true) {
    for (const view of views) terminal.out(JSON.stringify(view))
    return EXIT_DONE
  }
  if (views.length === 0) {
    terminal.out('no releases yet; start one with: haldane release start FILE')
    return EXIT_DONE
  }
  const columns = [
    { title: 'release' },
    { title: 'phase' },
    { title: 'traffic' },
    { title: 'gen', align: 'right' },
    { title: 'started' },
    { title: 'reasons' },
  ] as const
  const rows = views.map((view) => [
    view.release_id,
    view.phase,
    renderTraffic(view.traffic, view.spec.total_weight),
    String(view.generation),
    view.started_at,
    (view.decision?.reasons ?? []).map((reason) => reason.code).join(', '),
  ])
  for (const line of renderTable(columns, rows)) terminal.out(line)
  return EXIT_DONE
}

/** Without an id: the release that was started last. */
export async function showRelease(
  releaseId: string | undefined,
  options: { readonly json?: boolean },
  client: ReleaseReader,
  terminal: Terminal,
): Promise<number> {
  const view = await find(releaseId, client)
  if (options.json === true) terminal.out(JSON.stringify(view))
  else for (const line of renderRelease(view, terminal.color)) terminal.out(line)
  return EXIT_DONE
}

/** The newest decision for a script: its action is the exit code. */
export async function showVerdict(
  releaseId: string,
  options: { readonly json?: boolean },
  client: ReleaseReader,
  terminal: Terminal,
): Promise<number> {
  const verdict = verdictOf(await find(releaseId, client))
  if (options.json === true) terminal.out(JSON.stringify(verdict))
  else for (const line of renderVerdict(verdict, terminal.color)) terminal.out(line)
  return EXIT_OF_ACTION[verdict.action]
}

/** Follows a release until its last decision. */
export async function watchRelease(
  releaseId: string | undefined,
  options: { readonly json?: boolean },
  client: WorkerClient,
  terminal: Terminal,
): Promise<number> {
  const view = await find(releaseId, client)
  const ending = new AbortController()
  process.once('SIGINT', () => ending.abort())
  const since = view.generation === 0 ? null : `${view.route}#${Math.max(0, view.generation - 1)}`
  await client.streamDecisions(
    view.route,
    since,
    (decision) => {
      if (decision.release_id !== view.release_id) return
      if (options.json === true) terminal.out(JSON.stringify(decision))
      else terminal.out(renderDecisionLine(decision, terminal.color))
      if (decision.expires_at === null) ending.abort()
    },
    ending.signal,
    (error) => terminal.note(`${error.message}; connecting again`),
  )
  return EXIT_DONE
}

export async function commandRelease(
  kind: ManualCommand,
  releaseId: string,
  options: Author & { readonly json?: boolean },
  client: WorkerClient,
  terminal: Terminal,
): Promise<number> {
  const receipt = await client.commandRelease({ releaseId, kind, ...author(options) })
  if (options.json === true) terminal.out(JSON.stringify({ release_id: receipt.releaseId }))
  else terminal.out(receipt.message)
  return EXIT_DONE
}

async function find(
  releaseId: string | undefined,
  client: ReleaseReader,
): Promise<WireReleaseView> {
  const view =
    releaseId === undefined ? (await client.releases())[0] : await client.release(releaseId)
  if (view == null) throw noSuchRelease(releaseId ?? '(none was ever started)')
  return view
}

function author({ by, reason }: Author): { by: string; reason: string } {
  return { by: by ?? userInfo().username, reason: reason ?? '' }
}
