/** What an event of ours is, as the end of its CloudEvents `type`. */
export const EVENT_TYPES = {
  request: 'ml.inference.request.v1',
  feedback: 'ml.inference.feedback.v1',
  decision: 'ml.canary.decision.v1',
  command: 'ml.canary.control.v1',
  ack: 'ml.canary.routing.v1',
} as const

export type EventKind = keyof typeof EVENT_TYPES

interface Kind {
  readonly kind: EventKind
  /** Ends a `type` that names it; the plural is the name of the topic. */
  readonly names: RegExp
  readonly plural: string
  readonly door: string
}

const KINDS: readonly Kind[] = [
  {
    kind: 'request',
    names: /(^|\.)ml\.inference\.requests?(\.v1)?$/,
    plural: 'request events',
    door: 'ml.inference.requests.v1 or POST /v1/events',
  },
  {
    kind: 'feedback',
    names: /(^|\.)ml\.inference\.feedback(\.v1)?$/,
    plural: 'feedback events',
    door: 'ml.inference.feedback.v1 or POST /v1/feedback',
  },
  {
    kind: 'decision',
    names: /(^|\.)ml\.canary\.decisions?(\.v1)?$/,
    plural: 'decisions',
    door: 'nowhere: only the worker writes them',
  },
  {
    kind: 'command',
    names: /(^|\.)ml\.canary\.(control|command)(\.v1)?$/,
    plural: 'control commands',
    door: 'ml.canary.control.v1',
  },
  {
    kind: 'ack',
    names: /(^|\.)ml\.canary\.(routing|ack)(\.v1)?$/,
    plural: 'router acks',
    door: 'ml.canary.routing.v1 or POST /v1/acks',
  },
]

/**
 * Null when a `type` may stand for an event of this kind: any text, for producers name their types
 * themselves, except one that ends like the type of another kind. Else what it names and where that
 * belongs.
 */
export function otherKindOf(type: string, expected: EventKind): string | null {
  const named = KINDS.find(({ names }) => names.test(type))
  if (named === undefined || named.kind === expected) return null
  return `names ${named.plural}; they belong to ${named.door}`
}
