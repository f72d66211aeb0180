import { describe, expect, it } from 'vitest'
import { storeFailure } from '../../../../src/adapters/clickhouse/engine-failure.ts'
import { HaldaneError } from '../../../../src/domain/errors.ts'

const engineError = (fields: { code?: string; type?: string }, message = 'text') =>
  Object.assign(new Error(message), fields)

describe('what the engine throws', () => {
  it.each([
    [engineError({ code: '243', type: 'NOT_ENOUGH_SPACE' }), 'disk_full', false],
    [engineError({ code: 'ENOSPC' }), 'disk_full', false],
    [
      engineError({ code: '75' }, 'Cannot write: errno: 28, strerror: No space left on device'),
      'disk_full',
      false,
    ],
    [engineError({ code: '159', type: 'TIMEOUT_EXCEEDED' }), 'store_unavailable', true],
    [engineError({ code: '241', type: 'MEMORY_LIMIT_EXCEEDED' }), 'store_unavailable', true],
    [engineError({ code: 'ECONNREFUSED' }), 'store_unavailable', true],
    [engineError({ code: '60', type: 'UNKNOWN_TABLE' }), 'store_unavailable', false],
    [engineError({ code: '62', type: 'SYNTAX_ERROR' }), 'internal', false],
    [new Error('text'), 'internal', false],
    ['a string', 'internal', false],
    [null, 'internal', false],
  ] as const)('becomes an error for people: %s → %s', (thrown, code, retryable) => {
    const failure = storeFailure(thrown, 'insert_events')
    expect(failure).toMatchObject({ code, retryable })
    expect(failure.message).toContain('insert_events')
  })

  it('keeps the cause', () => {
    const cause = engineError({ type: 'TIMEOUT_EXCEEDED' })
    expect(storeFailure(cause, 's').cause).toBe(cause)
  })

  it('stays as it is when it already is one of ours', () => {
    const own = new HaldaneError('usage', 'x')
    expect(storeFailure(own, 's')).toBe(own)
  })

  it('names a remedy whenever somebody can do something', () => {
    for (const type of ['NOT_ENOUGH_SPACE', 'TIMEOUT_EXCEEDED', 'UNKNOWN_TABLE']) {
      expect(storeFailure(engineError({ type }), 's').remedy).toMatch(/\w/)
    }
  })
})
