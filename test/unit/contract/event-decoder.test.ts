import { describe, expect, it } from 'vitest'
import { checkEventTime } from '../../../src/contract/event-decoder.ts'

const DEFAULT_MS = 1_795_428_000_000

describe('checkEventTime', () => {
  const week = 7 * 86_400_000

  it('takes exactly 7 days of age and 10 minutes of future, not a millisecond more', () => {
    expect(checkEventTime(DEFAULT_MS - week, DEFAULT_MS)).toBeNull()
    expect(checkEventTime(DEFAULT_MS + 600_000, DEFAULT_MS)).toBeNull()
    expect(checkEventTime(DEFAULT_MS - week - 1, DEFAULT_MS)).toMatchObject({ code: 'too_old' })
    expect(checkEventTime(DEFAULT_MS + 600_001, DEFAULT_MS)).toEqual({
      field: 'occurred_at',
      code: 'future',
      message:
        '2026-11-23T10:10:00.001Z is more than 10 minutes after 2026-11-23T10:00:00.000Z, the time it is judged against',
    })
  })

  it('has an answer for record times that are no date', () => {
    expect(checkEventTime(DEFAULT_MS, -1)).toMatchObject({ code: 'future' })
    expect(checkEventTime(DEFAULT_MS, 9e18)).toMatchObject({ code: 'too_old' })
  })
})
