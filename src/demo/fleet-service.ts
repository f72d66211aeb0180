import { randomUUID } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { createEventSender, type EventSender } from './event-sender.ts'
import { createFleet, type Fleet } from './fleet.ts'
import type { FleetConfig, FleetReady, FleetStatus } from './fleet-messages.ts'
import { flattenMix, loadProfiles } from './mix.ts'
import { describeBuilds, loadModels, warmUp } from './models.ts'
import { createPopulation } from './population.ts'
import { createRouter, type Router } from './router.ts'
import { loadSnippets } from './snippets.ts'

export interface FleetService {
  readonly ready: FleetReady
  /** Rates are since the last call; call it once a second. */
  status(): FleetStatus
  /** Ends the load, sends what is waiting (for at most `drainMs`), leaves the router. */
  stop(drainMs: number): Promise<void>
}

/**
 * Loads models, users and texts, warms the models up and starts to serve. Throws
 * `missing_dependency` when one of the demo's packages is not installed.
 */
export async function startFleetService(
  config: FleetConfig,
  token: string | null,
): Promise<FleetService> {
  const [models, profiles] = await Promise.all([loadModels(), loadProfiles()])
  const mix = flattenMix(profiles)
  const snippets = await loadSnippets(mix.map(({ locale }) => locale))
  const population = createPopulation(mix)
  const texts = [...snippets.values()].flat()
  for (const version of models.versions) await warmUp(models, version, texts)

  const runId = randomUUID()
  const routerId = `demo-fleet-${runId.slice(0, 8)}`
  const door = { url: config.workerUrl, token }
  const router = createRouter({
    door,
    route: config.route,
    routerId,
    stableVersion: config.stableVersion,
    versions: models.versions,
    // What was warm at the start may have been thrown out by the engine since.
    prepare: (version) => warmUp(models, version, texts),
  })
  const sender = createEventSender({ door })
  const record = config.recordFile === null ? null : createWriteStream(config.recordFile)
  const sink = (line: string) => {
    sender.add(line)
    record?.write(`${line}\n`)
  }
  const slash = config.route.lastIndexOf('/')
  const fleet = createFleet(
    { models, population, snippets, router, sink },
    {
      modelName: config.route.slice(0, slash),
      environment: config.route.slice(slash + 1),
      ratePerSecond: config.ratePerSecond,
      seed: config.seed,
      runId,
    },
  )
  router.start()
  sender.start()
  fleet.start()
  return {
    ready: {
      routerId,
      builds: describeBuilds(),
      mix,
      users: population.size,
      texts: texts.length,
    },
    status: createStatus({ fleet, router, sender }),
    async stop(drainMs) {
      fleet.stop()
      await sender.stop(drainMs)
      await router.stop()
      if (record !== null) await new Promise<void>((resolve) => record.end(resolve))
    },
  }
}

/** Builds a status from the differences since the last one. */
function createStatus({
  fleet,
  router,
  sender,
}: {
  readonly fleet: Fleet
  readonly router: Router
  readonly sender: EventSender
}): () => FleetStatus {
  let lastAt = performance.now()
  let lastCpu = process.cpuUsage()
  let lastEvents = sender.totals()
  return () => {
    const now = performance.now()
    const seconds = Math.max((now - lastAt) / 1000, 0.001)
    const cpu = process.cpuUsage(lastCpu)
    const { problem: sendingProblem, ...events } = sender.totals()
    const counts = fleet.takeCounts()
    const state = router.state()
    const since = (key: 'sent' | 'accepted' | 'rejected' | 'failed') =>
      (events[key] - lastEvents[key]) / seconds
    const status: FleetStatus = {
      atMs: Date.now(),
      requestsPerSecond: counts.requests / seconds,
      errorsPerSecond: counts.errors / seconds,
      skippedPerSecond: counts.skipped / seconds,
      observed: Object.entries(counts.byVersion)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([version, requests]) => ({ version, requests, share: requests / counts.requests })),
      router: state,
      events,
      eventsPerSecond: {
        sent: since('sent'),
        accepted: since('accepted'),
        rejected: since('rejected'),
        failed: since('failed'),
      },
      cpuShare: (cpu.user + cpu.system) / 1e6 / seconds,
      problem: sendingProblem ?? state.problem,
    }
    lastAt = now
    lastCpu = process.cpuUsage()
    lastEvents = { ...events, problem: sendingProblem }
    return status
  }
}
