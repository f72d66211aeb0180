import { describe, expect, it } from 'vitest'
import type { ControlCommand } from '../../../src/contract/control-command.ts'
import { attemptOf, releaseIdOf } from '../../../src/pipeline/identity.ts'
import { activeReleaseConflict, toRelease } from '../../../src/pipeline/start-command.ts'
import type { BusRecord, ReleaseRecord } from '../../../src/ports.ts'
import { buildSpec } from '../../support/builders.ts'

const spec = buildSpec()
const command: ControlCommand = {
  commandId: 'c-1',
  kind: 'start',
  route: spec.route,
  atMs: 1,
  by: 'ada',
  reason: '',
}
const record: BusRecord = {
  partition: 2,
  offset: 7,
  key: null,
  value: null,
  headers: {},
  timestampMs: 5000,
}
const started = (earlier: readonly ReleaseRecord[], canary = spec.canary) =>
  toRelease(command, record, { ...spec, canary }, earlier)

describe('a start command', () => {
  it('makes the first, second, third … try of a version, each version by itself', () => {
    const first = started([])
    const second = started([first])
    const third = started([first, second])
    const ids = [first, second, third].map(({ releaseId }) => releaseId)
    expect(ids).toEqual(['', '~2', '~3'].map((suffix) => `m/production/1.1.0${suffix}`))
    expect(ids.map(attemptOf)).toEqual([1, 2, 3])
    expect(started([first, second], '1.2.0').releaseId).toBe(
      releaseIdOf({ ...spec, canary: '1.2.0' }, 1),
    )
    expect(first).toMatchObject({ startedAtMs: 5000, startedBy: 'ada', controlPartition: 2 })
  })

  it('is refused beside an active release, with the way to change its limits', () => {
    const { code, message, remedy } = activeReleaseConflict(started([]))
    expect([code, message]).toEqual([
      'conflict',
      'm/production/1.1.0 is still active on m/production',
    ])
    expect(remedy).toMatch(/abort it and start the changed file.*error budget begin anew/)
  })
})
