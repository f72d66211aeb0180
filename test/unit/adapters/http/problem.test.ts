import { expect, test } from 'vitest'
import {
  codeOfProblemType,
  DoorError,
  problem,
  problemOf,
  problemType,
} from '../../../../src/adapters/http/problem.ts'
import { type ErrorCode, HaldaneError } from '../../../../src/domain/errors.ts'

test('an error for people becomes a problem with its own words', () => {
  const error = new HaldaneError('conflict', 'x is active', { remedy: 'abort it' })
  expect(problemOf(error, { id: 'r-1', bodyLimit: 1 })).toEqual({
    type: '/problems/conflict',
    title: 'The request does not fit the present state',
    status: 409,
    detail: 'x is active',
    remedy: 'abort it',
  })
})

test.each<[ErrorCode, number]>([
  ['usage', 400],
  ['invalid_input', 422],
  ['conflict', 409],
  ['not_found', 404],
  ['unauthorized', 401],
  ['too_large', 413],
  ['overloaded', 429],
  ['data_dir_locked', 503],
  ['port_taken', 500],
  ['disk_full', 507],
  ['store_unavailable', 503],
  ['bus_unavailable', 503],
  ['fenced', 503],
  ['dead_letter_limit', 503],
  ['missing_dependency', 500],
  ['internal', 500],
])('%s is answered with status %i', (code, status) => {
  expect(problemOf(new HaldaneError(code, 'text'), { id: 'r-1', bodyLimit: 1 }).status).toBe(status)
})

test('what an unforeseen error says stays in the log', () => {
  const body = problemOf(new Error('cannot read /var/lib/secret'), { id: 'r-9', bodyLimit: 1 })
  expect(body.status).toBe(500)
  expect(JSON.stringify(body)).not.toContain('secret')
  expect(body['request_id']).toBe('r-9')
  expect(body.remedy).toContain('r-9')
  const wrapped = new HaldaneError('internal', 'cannot read /var/lib/secret')
  expect(JSON.stringify(problemOf(wrapped, { id: 'r-9', bodyLimit: 1 }))).not.toContain('secret')
  expect(problemOf('a thrown text', { id: 'r-9', bodyLimit: 1 }).status).toBe(500)
})

test('a failure of the door carries its own members', () => {
  const error = new DoorError('malformed', 'no', { extensions: { errors: [{ index: 1 }] } })
  expect(problemOf(error, { id: 'r-1', bodyLimit: 1 })['errors']).toEqual([{ index: 1 }])
})

test('a code survives the way into a problem type and back, behind any base', () => {
  expect(problemType('data_dir_locked')).toBe('/problems/data-dir-locked')
  expect(codeOfProblemType('/problems/data-dir-locked')).toBe('data_dir_locked')
  expect(codeOfProblemType('https://host/base/problems/not-found')).toBe('not_found')
  expect(codeOfProblemType('about:blank')).toBeNull()
  expect(codeOfProblemType('/problems/constructor')).toBeNull()
})

test('a problem without a remedy has no remedy member', () => {
  expect(Object.keys(problem('not_found', 'gone'))).toEqual(['type', 'title', 'status', 'detail'])
})
