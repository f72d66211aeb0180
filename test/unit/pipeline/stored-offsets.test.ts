import { describe, expect, it } from 'vitest'
import { createStoredOffsets } from '../../../src/pipeline/stored-offsets.ts'

const rejection = [{ field: 'latency_ms', code: 'range' as const, message: 'negative' }]

describe('stored offsets', () => {
  it('resolve only when the whole range is stored', async () => {
    const offsets = createStoredOffsets()
    let done = false
    const waiting = offsets.wait({ partition: 0, fromOffset: 5, toOffset: 8 }).then(() => {
      done = true
    })
    offsets.stored(0, 7)
    await Promise.resolve()
    expect(done).toBe(false)
    offsets.stored(1, 100)
    await Promise.resolve()
    expect(done).toBe(false)
    offsets.stored(0, 8)
    await waiting
    expect(done).toBe(true)
  })

  it('hand over exactly the rejections of the range, by position', async () => {
    const offsets = createStoredOffsets()
    offsets.rejected(0, 6, rejection)
    offsets.rejected(0, 9, rejection)
    offsets.stored(0, 10)
    expect(await offsets.wait({ partition: 0, fromOffset: 5, toOffset: 8 })).toEqual([
      { index: 1, rejections: rejection },
    ])
    expect(await offsets.wait({ partition: 0, fromOffset: 8, toOffset: 10 })).toEqual([
      { index: 1, rejections: rejection },
    ])
  })

  it('tell everybody who waits, now or later, that storing failed', async () => {
    const offsets = createStoredOffsets()
    const waiting = offsets.wait({ partition: 0, fromOffset: 0, toOffset: 1 })
    offsets.fail(new Error('disk full'))
    await expect(waiting).rejects.toThrow('disk full')
    await expect(offsets.wait({ partition: 0, fromOffset: 0, toOffset: 1 })).rejects.toThrow(
      'disk full',
    )
  })
})
