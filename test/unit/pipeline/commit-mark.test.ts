import { describe, expect, it } from 'vitest'
import { decodeMark, encodeMark } from '../../../src/pipeline/commit-mark.ts'

describe('the mark beside a committed offset', () => {
  it.each([
    { maxEventTimeMs: 0, pending: null },
    { maxEventTimeMs: 1_795_000_000_123, pending: null },
    { maxEventTimeMs: 5, pending: { to: Number.MAX_SAFE_INTEGER, rows: 1 } },
  ])('comes back as it was left: %o', (mark) => {
    expect(decodeMark({ offset: 7, metadata: encodeMark(mark) })).toEqual(mark)
  })

  it('is short enough for any broker, which takes 4096 bytes', () => {
    const pending = { to: Number.MAX_SAFE_INTEGER, rows: 500_000 }
    expect(encodeMark({ maxEventTimeMs: 8.64e15, pending }).length).toBeLessThan(100)
  })

  it.each(['', 'set by hand', '{"another":"tool"}'])('is none when it is not ours: %j', (text) => {
    expect(decodeMark({ offset: 7, metadata: text })).toBeNull()
    expect(decodeMark({ offset: null, metadata: '' })).toBeNull()
  })

  it('pends nothing when its range ends before the offset', () => {
    const metadata = encodeMark({ maxEventTimeMs: 5, pending: { to: 6, rows: 2 } })
    expect(decodeMark({ offset: 7, metadata })).toEqual({ maxEventTimeMs: 5, pending: null })
  })

  it.each(['{"v":2,"t":1}', '{"v":1}', '{"v":1,"t":'])('is not guessed at: %s', (metadata) => {
    expect(() => decodeMark({ offset: 7, metadata })).toThrow('unreadable mark')
  })
})
