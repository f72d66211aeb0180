import type { ReleaseView, SubmitResult, WorkerApi } from '../../../../src/contract/worker-api.ts'
import type { Decision } from '../../../../src/domain/decision.ts'
import { HaldaneError } from '../../../../src/domain/errors.ts'
import type { EvidenceRow } from '../../../../src/domain/verdict.ts'
import type { Clock, Log, RouterAck } from '../../../../src/ports.ts'
import { BALANCED_TRAFFIC } from '../../../support/builders.ts'

export const ROUTE = 'intent-classifier/production'
export const OTHER_ROUTE = 'ranker/staging'
export const RELEASE_ID = `${ROUTE}/1.5.0`
export const NOW_MS = Date.parse('2026-11-23T10:00:00.000Z')

export const EVIDENCE: EvidenceRow = {
  metric: 'latency_p95',
  limit: 'max: 120ms',
  cohort: { locale: 'de-DE', device: 'mobile' },
  stable: { value: 101.5, n: 27_000 },
  canary: { value: 99.25, n: 1400 },
  difference: -2.25,
  ciLow: -4,
  ciHigh: 0.5,
  threshold: 120,
  logEBreach: -3.5,
  logEPass: 4.25,
  weight: 0.125,
  verdict: 'within_limit',
  method: 'T1',
  severity: 'critical',
  dryRun: false,
  required: true,
  needs: null,
  contribution: 0.01,
}

export function decisionOf(
  generation: number,
  route: string = ROUTE,
  message = 'as planned',
): Decision {
  const [modelName = '', environment = ''] = route.split('/')
  return {
    decisionId: `d-${route}-${generation}`,
    route,
    releaseId: `${route}/1.5.0`,
    generation,
    decidedAtMs: NOW_MS,
    expiresAtMs: NOW_MS + 180_000,
    action: 'hold',
    phase: 'ramping',
    modelName,
    environment,
    stableVersion: '1.4.2',
    canaryVersion: '1.5.0',
    traffic: [
      { version: '1.4.2', role: 'stable', weight: 95 },
      { version: '1.5.0', role: 'canary', weight: 5 },
    ],
    previousTraffic: [
      { version: '1.4.2', role: 'stable', weight: 100 },
      { version: '1.5.0', role: 'canary', weight: 0 },
    ],
    totalWeight: 100,
    step: {
      index: 0,
      count: 3,
      weight: 5,
      startedAtMs: NOW_MS - 60_000,
      minDurationMs: 600_000,
      minRequests: 2000,
    },
    reasons: [{ code: 'min_duration', severity: 'info', message }],
    evidence: [EVIDENCE],
    window: { startMs: NOW_MS - 70_000, endMs: NOW_MS - 30_000, watermarkMs: NOW_MS },
    counts: { events: 1000, duplicates: 2, late: 1 },
    mode: 'enforced',
    decidedBy: 'analyzer',
    policy: { name: 'default', hash: 'sha256:00' },
    judgeVersion: '1',
  }
}

export function viewOf(generation: number | null, releaseId: string = RELEASE_ID): ReleaseView {
  return {
    release: {
      releaseId,
      spec: {
        route: ROUTE,
        modelName: 'intent-classifier',
        environment: 'production',
        stable: '1.4.2',
        canary: '1.5.0',
        plan: [{ weight: 5, minDurationMs: 600_000, minRequests: 2000 }],
        guardrails: [
          {
            metric: { kind: 'latency', name: 'latency_p95', quantile: 0.95 },
            limit: { kind: 'max', value: 120 },
            written: 'max: 120ms',
            importance: 1,
            severity: 'critical',
            dryRun: false,
            cohorts: 'all',
          },
        ],
        cohorts: { by: ['locale', 'device'], key: [{ locale: 'en-US' }] },
        coverage: { minRequestsPerKeyCohort: 500 },
        risk: { falseRollback: 0.05, falsePass: 0.05 },
        blocks: { lengthMs: 10_000, watermarkMs: 30_000, duplicateLookbackMs: 60_000 },
        warmupMs: 60_000,
        heartbeatMs: 60_000,
        maxDurationMs: 86_400_000,
        totalWeight: 100,
        mode: 'enforced',
        includeSynthetic: false,
        policy: { name: 'default', hash: 'sha256:00' },
      },
      source: 'route: intent-classifier/production',
      startedAtMs: NOW_MS - 120_000,
      startedBy: 'mia',
      controlPartition: 0,
      commandId: 'c-1',
    },
    decision: generation === null ? null : decisionOf(generation),
    assessment:
      generation === null
        ? null
        : {
            ...BALANCED_TRAFFIC,
            started: true,
            weightsFrom: null,
            rollback: false,
            logEvidence: -4,
            rows: [EVIDENCE, { ...EVIDENCE, cohort: 'overall', contribution: null }],
            leading: 0,
            discovered: [],
            passed: false,
            coverage: 0.975,
            uncovered: [],
            canaryRequests: 1400,
            newestCanaryEndMs: NOW_MS - 30_000,
            newestStableEndMs: NOW_MS - 30_000,
            newestCanaryEndInStepMs: NOW_MS - 30_000,
            lateShare: 0,
          },
    windowEndMs: generation === null ? null : NOW_MS - 30_000,
    acks: [{ route: ROUTE, routerId: 'edge-1', appliedGeneration: 3, appliedAtMs: NOW_MS - 5000 }],
  }
}

/** A worker in memory. Fields are set by tests; `record` makes a decision and publishes it. */
export function createFakeWorker() {
  const listeners = new Set<(decision: Decision) => void>()
  const recorded: Decision[] = []
  const submitted: { texts: string[]; receivedAtMs: number; headers: Record<string, string> }[] = []
  const feedback: typeof submitted = []
  const acks: RouterAck[] = []
  const started: Parameters<WorkerApi['startRelease']>[0][] = []
  const commanded: Parameters<WorkerApi['commandRelease']>[0][] = []

  const fake = {
    recorded,
    submitted,
    feedback,
    acks,
    started,
    commanded,
    listeners,
    views: [viewOf(4)] as ReleaseView[],
    /** Thrown by the next calls of anything that may fail. */
    failure: null as unknown,
    stored: true,
    ok: true,
    judge: (_text: string): string | null => null,
    /** Runs inside `decisionsAfter` and `latestDecisions`, after the read. */
    afterRead: async (): Promise<void> => {},
    publish(decision: Decision): void {
      for (const listener of [...listeners]) listener(decision)
    },
    record(decision: Decision): void {
      recorded.push(decision)
      fake.publish(decision)
    },
  }

  function assertWell(): void {
    if (fake.failure !== null) throw fake.failure
  }

  const submitTo =
    (list: typeof submitted): WorkerApi['submitEvents'] =>
    async (values, receivedAtMs, messageHeaders): Promise<SubmitResult> => {
      assertWell()
      const texts = values.map((value) => Buffer.from(value).toString('utf8'))
      const headers = Object.fromEntries(
        Object.entries(messageHeaders).map(([name, value]) => [name, String(Buffer.from(value))]),
      )
      list.push({ texts, receivedAtMs, headers })
      const rejected = texts.flatMap((text, index) => {
        const message = fake.judge(text)
        if (message === null) return []
        return [{ index, rejections: [{ field: 'outcome', code: 'missing' as const, message }] }]
      })
      return { accepted: texts.length - rejected.length, rejected, stored: fake.stored }
    }

  const api: WorkerApi = {
    submitEvents: submitTo(submitted),
    submitFeedback: submitTo(feedback),
    async startRelease(request) {
      assertWell()
      started.push(request)
      return { commandId: 'c-2', outcome: 'accepted', releaseId: RELEASE_ID, message: 'started' }
    },
    async commandRelease(request) {
      assertWell()
      commanded.push(request)
      if (!fake.views.some((view) => view.release.releaseId === request.releaseId)) {
        throw new HaldaneError('not_found', `There is no release ${request.releaseId}.`)
      }
      const { releaseId, kind } = request
      return { commandId: 'c-3', outcome: 'accepted', releaseId, message: `${kind} done` }
    },
    async releases() {
      assertWell()
      return fake.views
    },
    async release(releaseId) {
      assertWell()
      return fake.views.find((view) => view.release.releaseId === releaseId) ?? null
    },
    async decisionsAfter(route, generation) {
      assertWell()
      const found = recorded.filter((one) => one.route === route && one.generation > generation)
      await fake.afterRead()
      return found
    },
    async latestDecisions(filter) {
      assertWell()
      const newest = new Map<string, Decision>()
      for (const one of recorded) {
        if (filter.route === undefined || filter.route === one.route) newest.set(one.route, one)
      }
      await fake.afterRead()
      return [...newest.values()]
    },
    onDecision(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    async acknowledge(ack) {
      assertWell()
      acks.push(ack)
    },
    async ready() {
      assertWell()
      return { ok: fake.ok, checks: [{ name: 'store', ok: fake.ok, detail: 'at 10.0.0.7' }] }
    },
    async metrics() {
      assertWell()
      return 'haldane_decisions_total 3\n'
    },
  }
  return Object.assign(fake, { api })
}

/** Waits are ended by `advance`, never by time. */
export function createManualClock() {
  let nowMs = NOW_MS
  const waits = new Set<{ dueMs: number; wake: () => void }>()
  const clock: Clock = {
    now: () => nowMs,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) {
          resolve()
          return
        }
        const wait = { dueMs: nowMs + ms, wake: resolve }
        waits.add(wait)
        signal?.addEventListener('abort', () => {
          waits.delete(wait)
          resolve()
        })
      }),
  }
  return {
    clock,
    waiting: () => waits.size,
    advance(ms: number): void {
      nowMs += ms
      for (const wait of [...waits]) {
        if (wait.dueMs > nowMs) continue
        waits.delete(wait)
        wait.wake()
      }
    },
  }
}

interface LogLine {
  readonly level: string
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
}

export function createLogKeeper() {
  const lines: LogLine[] = []
  const write =
    (level: string) =>
    (fields: object, message: string): void => {
      lines.push({ level, message, fields: { ...fields } })
    }
  const log: Log = {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: () => log,
  }
  return { log, lines }
}
