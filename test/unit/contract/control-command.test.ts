import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  COMMAND_KINDS,
  type ControlCommand,
  decodeControlCommand,
  encodeControlCommand,
} from '../../../src/contract/control-command.ts'
import { RELEASE_TEXT } from './release-samples.ts'

const AT = Date.UTC(2026, 10, 23, 12)
const START: ControlCommand = {
  commandId: 'c-1',
  kind: 'start',
  route: 'intent-classifier/production',
  atMs: AT,
  by: 'ada',
  reason: 'new labels',
  source: RELEASE_TEXT,
  fileName: 'release.yaml',
  startAtMs: AT - 3_600_000,
}
const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value))

describe('decodeControlCommand', () => {
  it('is the inverse of encodeControlCommand', () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
    const command = fc.record(
      {
        commandId: text,
        kind: fc.constantFrom(...COMMAND_KINDS),
        route: fc.constant('m/e'),
        releaseId: text,
        atMs: fc.integer({ min: 0, max: AT }),
        by: text,
        reason: fc.string({ unit: 'grapheme', maxLength: 20 }),
        source: text,
        fileName: text,
        startAtMs: fc.integer({ min: 0, max: AT }),
      },
      {
        requiredKeys: ['commandId', 'kind', 'route', 'atMs', 'by', 'reason', 'source'],
        noNullPrototype: true,
      },
    )
    fc.assert(
      fc.property(command, (value) => {
        expect(decodeControlCommand(encodeControlCommand(value))).toStrictEqual(value)
      }),
    )
    expect(decodeControlCommand(encodeControlCommand(START))).toStrictEqual(START)
  })

  it('reads the documented wire form', () => {
    const wire = {
      command_id: 'c-2',
      kind: 'pause',
      route: 'intent-classifier/production',
      release_id: 'intent-classifier/production/1.5.0',
      at: '2026-11-23T12:00:00Z',
      by: 'ada',
      reason: '',
      source: null,
    }
    expect(decodeControlCommand(bytes(wire))).toStrictEqual({
      commandId: 'c-2',
      kind: 'pause',
      route: 'intent-classifier/production',
      releaseId: 'intent-classifier/production/1.5.0',
      atMs: AT,
      by: 'ada',
      reason: '',
    })
  })

  it('requires the release file of a start', () => {
    const { source, ...rest } = START
    expect(decodeControlCommand(encodeControlCommand(rest))).toMatchObject([
      { field: 'source', code: 'missing' },
    ])
  })

  it('gives every reason why a value is no command', () => {
    expect(decodeControlCommand(null)).toMatchObject([{ code: 'tombstone' }])
    expect(decodeControlCommand(bytes({ kind: 'halt', at: 'now', route: 'm/e' }))).toMatchObject([
      { field: 'command_id', code: 'missing' },
      {
        field: 'kind',
        code: 'format',
        message: 'is the text "halt"; allowed is start, pause, resume, promote, abort, rollback',
      },
      { field: 'at', code: 'format' },
      { field: 'by', code: 'missing' },
      { field: 'reason', code: 'missing' },
    ])
  })
})
