export const ANNOTATOR_KINDS = ['HUMAN', 'LLM', 'CODE'] as const
export type AnnotatorKind = (typeof ANNOTATOR_KINDS)[number]

/** A feedback event after validation: what somebody found out later about the answer to a request. */
export interface FeedbackEvent {
  readonly requestId: string
  /** When it was found out, Unix ms. */
  readonly observedAtMs: number
  readonly modelName: string
  readonly environment: string
  /** Empty when not given: then any version that answered the request is meant. */
  readonly modelVersion: string
  readonly qualityMetric: string
  /** 0 … 1. */
  readonly qualityScore: number | null
  readonly label: string
  /** Empty when not given. */
  readonly annotatorKind: AnnotatorKind | ''
}
