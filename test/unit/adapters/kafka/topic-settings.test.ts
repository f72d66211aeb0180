import { describe, expect, it } from 'vitest'
import {
  misfitsOf,
  settingsOf,
  toTopicConfig,
} from '../../../../src/adapters/kafka/topic-settings.ts'
import { TOPICS } from '../../../../src/domain/topics.ts'

const ANY = { partitions: null, replicationFactor: null }
const found = (settings: Record<string, string>) => ({
  partitions: 6,
  replicationFactor: 1,
  settings,
})

describe('settings of a new topic', () => {
  it('keep the newest decision of a route for ever, and events for a week', () => {
    expect(settingsOf(TOPICS.decisions, null)).toMatchObject({ 'cleanup.policy': 'compact' })
    expect(settingsOf(TOPICS.requests, null)).toEqual({ 'retention.ms': '604800000' })
  })

  it('ask for two replicas in sync where there are three', () => {
    expect(settingsOf(TOPICS.requests, 3)).toMatchObject({ 'min.insync.replicas': '2' })
    expect(settingsOf(TOPICS.requests, 2)).not.toHaveProperty('min.insync.replicas')
  })

  it('leave the number of replicas to the brokers unless it is given', () => {
    expect(toTopicConfig(TOPICS.routing)).not.toHaveProperty('replicationFactor')
    expect(toTopicConfig(TOPICS.routing, 3)).toMatchObject({ replicationFactor: 3 })
  })
})

describe('an existing topic', () => {
  it('fits when it keeps more than it has to', () => {
    const endless = found({ 'cleanup.policy': 'delete', 'retention.ms': '-1' })
    const longer = found({ 'cleanup.policy': 'delete', 'retention.ms': '2592000000' })
    expect(misfitsOf(TOPICS.requests, ANY, endless)).toEqual([])
    expect(misfitsOf(TOPICS.requests, ANY, longer)).toEqual([])
  })

  it.each([
    ['forgets decisions', TOPICS.decisions, { 'cleanup.policy': 'delete' }, 'cleanup.policy'],
    [
      'forgets decisions after a while',
      TOPICS.decisions,
      { 'cleanup.policy': 'compact,delete' },
      'cleanup.policy',
    ],
    ['keeps one event a key', TOPICS.requests, { 'cleanup.policy': 'compact' }, 'cleanup.policy'],
    ['keeps events for a day', TOPICS.requests, { 'retention.ms': '86400000' }, 'retention.ms'],
    [
      'refuses large dead letters',
      TOPICS.requestsDeadLetters,
      { 'max.message.bytes': '1048588' },
      'max.message.bytes',
    ],
  ])('that %s does not fit', (_, spec, settings, setting) => {
    const misfits = misfitsOf(spec, ANY, found(settings))
    expect(misfits).toMatchObject([{ setting, alterable: true }])
  })

  it('has to have the partitions and replicas that are asked for, if any are', () => {
    const settings = found({ 'cleanup.policy': 'delete' })
    expect(misfitsOf(TOPICS.requests, ANY, settings)).toEqual([])
    expect(misfitsOf(TOPICS.requests, { partitions: 12, replicationFactor: 3 }, settings)).toEqual([
      { setting: 'partitions', found: '6', wanted: '12', alterable: false },
      { setting: 'replication factor', found: '1', wanted: '3', alterable: false },
    ])
  })
})
