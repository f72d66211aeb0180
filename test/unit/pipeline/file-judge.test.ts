import { expect, it } from 'vitest'
import { REQUEST_EVENTS } from '../../../src/contract/event-format.ts'
import { createFileJudge } from '../../../src/pipeline/file-judge.ts'

const EVENT = {
  request_id: 'r-1',
  model_name: 'm',
  model_version: '1.5.0',
  outcome: 'ok',
  latency_ms: 1,
}

function judge(lines: readonly (object | null)[]) {
  const said: [number, string, string?][] = []
  const file = createFileJudge({
    format: REQUEST_EVENTS,
    onAccepted: (line, { event }) => said.push([line, event.requestId]),
    onRejected: (line, rejections) =>
      said.push([line, ...(rejections.map(({ field, code }) => `${field} ${code}`) as [string])]),
  })
  for (const [index, event] of lines.entries()) {
    const bytes = event === null ? null : Buffer.from(JSON.stringify(event))
    file.take({ line: index + 1, bytes, byteLength: bytes?.byteLength ?? 2_000_000 })
  }
  file.end()
  return said
}

it('accepts bare events and CloudEvents, and names what is wrong with the rest', () => {
  const occurred_at = '2026-11-23T10:00:00Z'
  const { request_id, ...data } = EVENT
  const envelope = { specversion: '1.0', id: 'c-1', source: '/s', type: 't' }
  const said = judge([
    { ...EVENT, occurred_at },
    { ...envelope, time: occurred_at, data },
    EVENT,
    { ...envelope, data },
    { ...envelope, specversion: '0.3', time: occurred_at, data },
    null,
    { ...EVENT, occurred_at: '2026-11-15T10:00:00Z' },
    { ...EVENT, occurred_at: '2026-11-15T10:00:00Z', recorded_at: '2026-11-15T10:00:01Z' },
  ])
  expect(said.sort(([a], [b]) => a - b)).toEqual([
    [1, 'r-1'],
    [2, 'c-1'],
    [3, 'occurred_at missing'],
    [4, 'occurred_at missing'],
    [5, 'specversion format'],
    [6, ' too_large'],
    [7, 'occurred_at too_old'],
    [8, 'r-1'],
  ])
})
