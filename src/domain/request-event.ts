export const OUTCOMES = ['ok', 'error', 'timeout', 'cancelled', 'rejected'] as const
export type Outcome = (typeof OUTCOMES)[number]

export const DEVICES = ['mobile', 'desktop', 'tablet', 'tv', 'bot', 'other', 'unknown'] as const
export type Device = (typeof DEVICES)[number]

export const TRAFFICS = ['live', 'shadow'] as const
export type Traffic = (typeof TRAFFICS)[number]

/** A request event after validation: defaults filled in, locale and device made canonical. */
export interface RequestEvent {
  readonly requestId: string
  /** Request start, Unix ms. */
  readonly occurredAtMs: number
  readonly modelName: string
  readonly environment: string
  /** Empty when the event names only a `variant`. */
  readonly modelVersion: string
  /** `stable`, `canary` or another word; empty when not given. */
  readonly variant: string
  readonly traffic: Traffic
  readonly outcome: Outcome
  readonly latencyMs: number | null
  readonly ttftMs: number | null
  readonly statusCode: number | null
  readonly errorType: string
  readonly locale: string
  readonly device: Device
  readonly region: string
  /** 0 … 1. */
  readonly qualityScore: number | null
  readonly qualityMetric: string
  readonly predictionLabel: string
  /** 0 … 1. */
  readonly confidence: number | null
  readonly inputTokens: number | null
  readonly outputTokens: number | null
  /** Share of the traffic that is logged, (0, 1]. */
  readonly sampleRate: number
  readonly isSynthetic: boolean
  readonly sessionId: string
  readonly releaseId: string
  readonly decisionGeneration: number | null
  readonly memoryBytes: number | null
  readonly memoryLimitBytes: number | null
  /** At most 8 names, finite values; null when there is none. */
  readonly kpi: Readonly<Record<string, number>> | null
  /** At most 16 names; null when there is none. */
  readonly attributes: Readonly<Record<string, string>> | null
  /** True when the event named an invalid locale (stored as `und`). */
  readonly localeReplaced: boolean
  /** True when the event named an unknown device (stored as `other`). */
  readonly deviceReplaced: boolean
}

export type RejectionCode =
  | 'tombstone'
  | 'not_json'
  | 'not_an_object'
  | 'too_large'
  | 'invalid_utf8'
  | 'missing'
  | 'type'
  | 'range'
  | 'format'
  | 'too_old'
  | 'future'

/** Why an event was not accepted: the field (empty for the whole value), a code and a sentence. */
export interface Rejection {
  readonly field: string
  readonly code: RejectionCode
  readonly message: string
}
