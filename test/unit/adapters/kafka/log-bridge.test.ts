import { logLevel } from 'kafkajs'
import { expect, it } from 'vitest'
import { bridgeLog } from '../../../../src/adapters/kafka/log-bridge.ts'
import { createLogProbe } from '../../../support/bus-probe.ts'

const bridged = (level: logLevel, message: string, extra: object = {}) => {
  const log = createLogProbe()
  const timestamp = '2026-01-01T00:00:00Z'
  bridgeLog(log)({
    namespace: 'Consumer',
    level,
    label: '',
    log: { message, timestamp, logger: 'kafkajs', ...extra },
  })
  return log.lines[0]
}

it('says what kafkajs says one level lower, in one line and without a stack', () => {
  expect(bridged(logLevel.ERROR, 'Offset out of range', { topic: 't', stack: 'at x' })).toEqual({
    level: 'warn',
    message: 'kafkajs Consumer: Offset out of range',
    fields: { topic: 't' },
  })
  expect(bridged(logLevel.WARN, 'Something odd')?.level).toBe('info')
  expect(bridged(logLevel.INFO, 'Starting')?.level).toBe('debug')
})

it('keeps at debug what is normal on a fresh or restarting broker', () => {
  for (const message of [
    'The group coordinator is not available',
    'Failed to connect to seed broker, trying another broker from the list',
    'Connection error: connect ECONNREFUSED 127.0.0.1:9092',
    'The group is rebalancing, re-joining',
    'Crash: KafkaJSNumberOfRetriesExceeded',
    'Restarting the consumer in 200ms',
  ]) {
    expect(bridged(logLevel.ERROR, message)?.level).toBe('debug')
  }
  const existing = { error: 'Topic with this name already exists' }
  expect(bridged(logLevel.ERROR, 'Response CreateTopics', existing)?.level).toBe('debug')
})
