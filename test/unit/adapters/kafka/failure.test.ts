import kafkajs from 'kafkajs'
import { describe, expect, it } from 'vitest'
import {
  explain,
  isCoordinatorMoving,
  isMemberFenced,
  isProducerFenced,
  isTransient,
  unsupportedCodec,
} from '../../../../src/adapters/kafka/failure.ts'
import { HaldaneError } from '../../../../src/domain/errors.ts'

const protocol = (type: string, retriable = false, message = type) =>
  new kafkajs.KafkaJSProtocolError(Object.assign(new Error(message), { type, code: 1, retriable }))
/** As kafkajs' retrier rejects: the type is only in the cause. */
const wrapped = (cause: Error) =>
  Object.assign(new kafkajs.KafkaJSNonRetriableError(cause), { cause })

describe('failures of kafkajs', () => {
  it('fence a member, also when the protocol error is hidden in a cause', () => {
    for (const type of ['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION', 'REBALANCE_IN_PROGRESS']) {
      expect(isMemberFenced(wrapped(protocol(type)))).toBe(true)
    }
    expect(isMemberFenced(wrapped(protocol('NOT_COORDINATOR_FOR_GROUP')))).toBe(false)
    expect(isMemberFenced(new Error('UNKNOWN_MEMBER_ID'))).toBe(false)
  })

  it('fence a producer by its epoch, also by the code that kafkajs has no name for', () => {
    expect(isProducerFenced(wrapped(protocol('INVALID_PRODUCER_EPOCH')))).toBe(true)
    const nameless = protocol('KAFKAJS_UNKNOWN_ERROR_CODE', false, 'Unknown error code 90')
    expect(isProducerFenced(wrapped(nameless))).toBe(true)
    const other = protocol('KAFKAJS_UNKNOWN_ERROR_CODE', false, 'Unknown error code 905')
    expect(isProducerFenced(other)).toBe(false)
  })

  it('are transient when anything in the chain may pass', () => {
    expect(isTransient(wrapped(protocol('GROUP_LOAD_IN_PROGRESS', true)))).toBe(true)
    expect(isTransient(new kafkajs.KafkaJSConnectionError('connect ECONNREFUSED'))).toBe(true)
    expect(isTransient(wrapped(protocol('MESSAGE_TOO_LARGE')))).toBe(false)
    expect(isTransient('text')).toBe(false)
  })

  it('of a coordinator that loads or moves are told apart from those of a lost broker', () => {
    const loading = protocol('GROUP_LOAD_IN_PROGRESS', true)
    expect(isCoordinatorMoving(wrapped(loading))).toBe(true)
    expect(isCoordinatorMoving(protocol('REQUEST_TIMED_OUT', true))).toBe(false)
  })

  it('name the codec that is missing', () => {
    const missing = new Error('LZ4 compression not implemented')
    expect(unsupportedCodec(wrapped(missing))).toBe('lz4')
    expect(unsupportedCodec(new Error('boom'))).toBeNull()
  })

  it('become errors for people', () => {
    const refused = new kafkajs.KafkaJSConnectionError('Connection error: connect ECONNREFUSED')
    expect(explain(refused, 'cannot consume t', ['a:1', 'b:2'])).toMatchObject({
      code: 'bus_unavailable',
      retryable: true,
      message:
        'cannot consume t: Kafka does not answer at a:1, b:2 (Connection error: connect ECONNREFUSED)',
    })
    const denied = wrapped(protocol('TOPIC_AUTHORIZATION_FAILED'))
    expect(explain(denied, 'cannot consume t', [])).toMatchObject({
      code: 'unauthorized',
      retryable: false,
      message: 'cannot consume t: Kafka does not allow this client to use the topic',
    })
    const large = wrapped(protocol('MESSAGE_TOO_LARGE'))
    expect(explain(large, 'cannot write to t', []).code).toBe('too_large')
    expect(explain(protocol('UNKNOWN_TOPIC_OR_PARTITION', true), 'x', []).code).toBe('not_found')
    expect(explain(new TypeError('bug'), 'x', [])).toMatchObject({
      code: 'internal',
      message: 'x: bug',
    })
  })

  it('stay as they are when they are explained already', () => {
    const error = new HaldaneError('fenced', 'gone')
    expect(explain(error, 'x', [])).toBe(error)
  })

  it('end with a cause that points to itself', () => {
    const loop = new Error('loop')
    Object.assign(loop, { cause: loop })
    expect(isTransient(loop)).toBe(false)
  })
})
