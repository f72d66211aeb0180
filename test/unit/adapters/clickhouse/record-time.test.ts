import { describe, expect, it } from 'vitest'
import { createRecordTimes } from '../../../../src/adapters/clickhouse/record-time.ts'

describe('the time a row was recorded', () => {
  it('ascends with every row, also while the clock stands still or goes back', () => {
    let nowMs = Date.UTC(2026, 10, 23)
    const recordTime = createRecordTimes({ now: () => nowMs, sleep: () => Promise.resolve() })
    const times = [recordTime(), recordTime()]
    nowMs -= 1000
    times.push(recordTime())
    nowMs += 1001
    times.push(recordTime())
    expect(times).toEqual([
      '2026-11-23 00:00:00.000000',
      '2026-11-23 00:00:00.000001',
      '2026-11-23 00:00:00.000002',
      '2026-11-23 00:00:00.001000',
    ])
  })
})
