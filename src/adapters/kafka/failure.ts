import { type ErrorCode, HaldaneError } from '../../domain/errors.ts'
import { accessFailure } from './access-failure.ts'
import { chainOf } from './failure-chain.ts'

/** The member may no longer commit for this assignment. */
const MEMBER_FENCED = new Set([
  'UNKNOWN_MEMBER_ID',
  'ILLEGAL_GENERATION',
  'REBALANCE_IN_PROGRESS',
  'FENCED_INSTANCE_ID',
])

const COORDINATOR_MOVING = new Set([
  'GROUP_LOAD_IN_PROGRESS',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR_FOR_GROUP',
])

const PRODUCER_FENCED = new Set(['INVALID_PRODUCER_EPOCH', 'PRODUCER_FENCED'])
/** kafkajs does not know PRODUCER_FENCED; its text then only has the number. */
const PRODUCER_FENCED_TEXT = /Unknown error code 90\b/

const UNREACHABLE =
  /^KafkaJS(ConnectionError|ConnectionClosedError|RequestTimeoutError|BrokerNotFound|MetadataNotLoaded|TopicMetadataNotLoaded|LockTimeout|Timeout|GroupCoordinatorNotFound|NumberOfRetriesExceeded|NoBrokerAvailableError)$/

/** Protocol error types in a thrown value, outermost first. */
export function kafkaErrorTypes(thrown: unknown): string[] {
  return chainOf(thrown).flatMap(({ type }) => (type === undefined ? [] : [type]))
}

export function isMemberFenced(thrown: unknown): boolean {
  return kafkaErrorTypes(thrown).some((type) => MEMBER_FENCED.has(type))
}

export function isWrongCoordinator(thrown: unknown): boolean {
  return kafkaErrorTypes(thrown).includes('NOT_COORDINATOR_FOR_GROUP')
}

/** The group's coordinator is loading or on its way to another broker, which is normal. */
export function isCoordinatorMoving(thrown: unknown): boolean {
  const types = kafkaErrorTypes(thrown)
  return types.some((type) => COORDINATOR_MOVING.has(type))
}

export function isProducerFenced(thrown: unknown): boolean {
  return chainOf(thrown).some(
    ({ type, message }) =>
      PRODUCER_FENCED.has(type ?? '') || PRODUCER_FENCED_TEXT.test(message ?? ''),
  )
}

/** True when the same request may succeed later, without any change of the configuration. */
export function isTransient(thrown: unknown): boolean {
  if (accessFailure(thrown)?.retryable === false) return false
  return chainOf(thrown).some(
    ({ retriable, name }) => retriable === true || UNREACHABLE.test(name ?? ''),
  )
}

/** Name of a compression codec this adapter cannot read, if that is what failed. */
export function unsupportedCodec(thrown: unknown): string | null {
  for (const { message } of chainOf(thrown)) {
    const found = /^(\w+) compression not implemented/.exec(message ?? '')
    if (found?.[1] !== undefined) return found[1].toLowerCase()
  }
  return null
}

interface Explanation {
  readonly code: ErrorCode
  readonly problem: string
  readonly remedy: string
}

const EXPLAINED: Readonly<Record<string, Explanation>> = {
  UNKNOWN_TOPIC_OR_PARTITION: {
    code: 'not_found',
    problem: 'the topic or partition does not exist on this Kafka cluster',
    remedy: 'check the name and the cluster, or create the topic',
  },
  INVALID_TOPIC_EXCEPTION: {
    code: 'invalid_input',
    problem: 'Kafka does not accept the topic name',
    remedy: 'use at most 249 letters, digits, dots, hyphens and underscores',
  },
  INVALID_REPLICATION_FACTOR: {
    code: 'bus_unavailable',
    problem: 'the cluster has fewer brokers than replicas are asked for',
    remedy:
      'start the missing brokers, or ask for fewer replicas: `haldane topics create ' +
      '--replication-factor N`, or default.replication.factor of the brokers',
  },
  INVALID_CONFIG: {
    code: 'invalid_input',
    problem: 'Kafka does not accept a setting of the topic',
    remedy: 'create the topic by hand; docs/operate.md lists the settings',
  },
  POLICY_VIOLATION: {
    code: 'invalid_input',
    problem: 'a policy of the cluster forbids the topic as it is asked for',
    remedy: 'ask who runs the cluster; docs/operate.md lists the settings',
  },
  MESSAGE_TOO_LARGE: {
    code: 'too_large',
    problem: 'a record is larger than the topic allows',
    remedy: 'raise max.message.bytes of the topic, or send smaller records',
  },
  RECORD_LIST_TOO_LARGE: {
    code: 'too_large',
    problem: 'a record batch is larger than a log segment of the topic',
    remedy: 'raise segment.bytes of the topic, or send smaller records',
  },
  ...unauthorized('TOPIC_AUTHORIZATION_FAILED', 'the topic'),
  ...unauthorized('GROUP_AUTHORIZATION_FAILED', 'the consumer group'),
  ...unauthorized('CLUSTER_AUTHORIZATION_FAILED', 'the cluster'),
  ...unauthorized('TRANSACTIONAL_ID_AUTHORIZATION_FAILED', 'the transactional id'),
}

function unauthorized(type: string, what: string): Record<string, Explanation> {
  return {
    [type]: {
      code: 'unauthorized',
      problem: `Kafka does not allow this client to use ${what}`,
      remedy: 'grant it in the access control lists of the cluster',
    },
  }
}

/** Turns anything kafkajs throws into an error for people; `what` says what could not be done. */
export function explain(thrown: unknown, what: string, brokers: readonly string[]): HaldaneError {
  if (thrown instanceof HaldaneError) return thrown
  const access = accessFailure(thrown)
  if (access !== null) {
    const { code, problem, remedy, retryable } = access
    const message = `${what}: Kafka at ${brokers.join(', ')}: ${problem}`
    return new HaldaneError(code, message, { remedy, retryable })
  }
  for (const type of kafkaErrorTypes(thrown)) {
    const known = EXPLAINED[type]
    if (known === undefined) continue
    return new HaldaneError(known.code, `${what}: ${known.problem}`, {
      remedy: known.remedy,
      retryable: known.code === 'bus_unavailable',
      cause: thrown,
    })
  }
  const text = thrown instanceof Error ? thrown.message : String(thrown)
  if (!isTransient(thrown)) {
    return new HaldaneError('internal', `${what}: ${text}`, { cause: thrown })
  }
  // Without `cause`: the caller tries again, and one line says it all.
  return new HaldaneError(
    'bus_unavailable',
    `${what}: Kafka does not answer at ${brokers.join(', ')} (${text})`,
    { remedy: 'start the brokers or correct HALDANE_KAFKA_BROKERS', retryable: true },
  )
}
