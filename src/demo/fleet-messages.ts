import type { ErrorCode } from '../domain/errors.ts'
import type { LocaleMix } from './mix.ts'
import type { RouterState } from './router.ts'

/** What the fleet process is started with, as JSON in its first argument. */
export interface FleetConfig {
  /** Without a trailing slash, e.g. `http://127.0.0.1:7625`. */
  readonly workerUrl: string
  /** `<model_name>/<environment>`. */
  readonly route: string
  readonly ratePerSecond: number
  readonly seed: number
  /** Serves everybody until the first decision. */
  readonly stableVersion: string
  /** Every event is also appended to this file, one a line; null: nowhere. */
  readonly recordFile: string | null
}

/** One second of the fleet. Counts of events are totals since the start. */
export interface FleetStatus {
  /** Unix ms. */
  readonly atMs: number
  readonly requestsPerSecond: number
  readonly errorsPerSecond: number
  /** Arrivals dropped in this second because the process was held up. */
  readonly skippedPerSecond: number
  /** Versions that served a request in this second; shares add up to 1. */
  readonly observed: readonly {
    readonly version: string
    readonly requests: number
    readonly share: number
  }[]
  readonly router: RouterState
  readonly events: {
    readonly sent: number
    readonly accepted: number
    readonly rejected: number
    readonly failed: number
    readonly pending: number
    readonly retries: number
  }
  /** The same counts for this second alone. */
  readonly eventsPerSecond: {
    readonly sent: number
    readonly accepted: number
    readonly rejected: number
    readonly failed: number
  }
  /** CPU time per wall time of this second; 1 is one core. */
  readonly cpuShare: number
  /** What does not work at the moment, for people; null when all is well. */
  readonly problem: string | null
}

/** What the fleet is made of, told once when it begins to serve. */
export interface FleetReady {
  readonly routerId: string
  readonly builds: readonly { readonly version: string; readonly build: string }[]
  readonly mix: readonly LocaleMix[]
  readonly users: number
  /** Texts to choose from, over all locales. */
  readonly texts: number
}

/** From the fleet process to its launcher. */
export type FleetMessage =
  | { readonly type: 'ready'; readonly ready: FleetReady }
  | { readonly type: 'status'; readonly status: FleetStatus }
  | { readonly type: 'stopped'; readonly status: FleetStatus }
  | {
      readonly type: 'failed'
      readonly code: ErrorCode
      readonly message: string
      readonly remedy: string | null
    }

/** From the launcher to the fleet process. */
export type FleetCommand = { readonly type: 'stop' }
