/** What kafkajs, Node and OpenSSL throw, as far as the adapter looks at it. */
export interface KafkaFailure {
  readonly name?: string
  readonly message?: string
  /** Protocol error, e.g. `ILLEGAL_GENERATION`. */
  readonly type?: string
  /** Of a connection, e.g. `ECONNREFUSED`; of a protocol error a number. */
  readonly code?: unknown
  readonly retriable?: boolean
  readonly cause?: unknown
  readonly errors?: readonly unknown[]
}

/** The thrown value and everything it wraps: kafkajs hides the protocol error under `cause`. */
export function chainOf(thrown: unknown): KafkaFailure[] {
  const chain: KafkaFailure[] = []
  const open: unknown[] = [thrown]
  while (open.length > 0 && chain.length < 16) {
    const next = open.shift()
    if (typeof next !== 'object' || next === null) continue
    const failure = next as KafkaFailure
    if (chain.includes(failure)) continue
    chain.push(failure)
    open.push(failure.cause, ...(failure.errors ?? []))
  }
  return chain
}
