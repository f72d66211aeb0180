import { describe, expect, it } from 'vitest'
import { didYouMean, nearestWord } from '../../../src/contract/near-miss.ts'

const WORDS = ['latency_p50', 'latency_p95', 'error_rate', 'quality', 'key', 'all', 'dry_run']

describe('nearestWord', () => {
  it.each([
    ['lateny_p95', 'latency_p95'],
    ['latecny_p95', 'latency_p95'],
    ['LATENCY-P95', 'latency_p95'],
    ['eror_rat', 'error_rate'],
    ['quailty', 'quality'],
    ['keys', 'key'],
    ['kye', 'key'],
    ['dryrun', 'dry_run'],
    ['dry run', 'dry_run'],
    ['qual', 'quality'],
  ])('takes %s for %s', (typed, meant) => {
    expect(nearestWord(typed, WORDS)).toBe(meant)
  })

  it.each(['', 'k', 'latency', 'throughput', 'kiss', 'x'.repeat(10_000)])(
    'has no guess for "%s"',
    (typed) => {
      expect(nearestWord(typed, WORDS)).toBeNull()
    },
  )

  it('prefers the nearer of two near words', () => {
    expect(nearestWord('latency_p51', WORDS)).toBe('latency_p50')
    expect(nearestWord('max_drop', ['max_drap', 'max_drops'])).toBe('max_drap')
  })
})

describe('didYouMean', () => {
  it('is a half sentence, or nothing', () => {
    expect(didYouMean('keys', WORDS)).toBe('; did you mean "key"?')
    expect(didYouMean('nothing', WORDS)).toBe('')
  })
})
