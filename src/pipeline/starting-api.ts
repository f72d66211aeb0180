import type { WorkerApi } from '../contract/worker-api.ts'
import { HaldaneError } from '../domain/errors.ts'

/** Stands in for the service until store and bus answer: says so, and is not ready. */
export interface StartingApi extends WorkerApi {
  open(api: WorkerApi): void
}

export function createStartingApi(exposeMetrics: () => Promise<string>): StartingApi {
  let opened: WorkerApi | null = null

  const api = async (): Promise<WorkerApi> => {
    if (opened !== null) return opened
    throw new HaldaneError('store_unavailable', 'the worker is starting', {
      retryable: true,
      remedy: 'try again when /readyz says ready',
    })
  }

  return {
    open(service) {
      opened = service
    },
    submitEvents: async (...events) => (await api()).submitEvents(...events),
    submitFeedback: async (...events) => (await api()).submitFeedback(...events),
    startRelease: async (request) => (await api()).startRelease(request),
    commandRelease: async (request) => (await api()).commandRelease(request),
    releases: async () => (await api()).releases(),
    release: async (releaseId) => (await api()).release(releaseId),
    decisionsAfter: async (route, generation) => (await api()).decisionsAfter(route, generation),
    latestDecisions: async (filter) => (await api()).latestDecisions(filter),
    onDecision: (listener) => opened?.onDecision(listener) ?? (() => undefined),
    acknowledge: async (ack) => (await api()).acknowledge(ack),
    ready: async () =>
      opened === null
        ? {
            ok: false,
            checks: [{ name: 'start', ok: false, detail: 'store or bus not there yet' }],
          }
        : opened.ready(),
    metrics: exposeMetrics,
  }
}
