import { describe, expect, it } from 'vitest'
import { describeValue, printable, rejectionsOf } from '../../../src/contract/rejection-text.ts'
import { requestEventSchema } from '../../../src/contract/request-event.ts'
import { SAMPLE } from './request-event-samples.ts'

function reasons(raw: unknown) {
  const parsed = requestEventSchema.safeParse(raw)
  return parsed.success ? [] : rejectionsOf(requestEventSchema, parsed.error, raw)
}

describe('printable', () => {
  it('shows at most 40 characters, none of them a control or half a pair', () => {
    expect(printable('a\nb\u0000\u2028\u202e')).toBe('a\\u{a}b\\u{0}\\u{2028}\\u{202e}')
    expect(printable('x'.repeat(41))).toBe(`${'x'.repeat(40)}…`)
    expect(printable('😀'.repeat(1000))).toBe(`${'😀'.repeat(40)}…`)
    expect(printable('\ud800')).toBe('\\u{d800}')
  })
})

describe('describeValue', () => {
  it('names kinds, never the inside of lists and objects', () => {
    expect(describeValue({ secret: 1 })).toBe('an object')
    expect(describeValue(['secret'])).toBe('a list')
    expect(describeValue(null)).toBe('null')
    expect(describeValue(1.5)).toBe('1.5')
    expect(describeValue('12ms')).toBe('the text "12ms"')
  })
})

describe('rejectionsOf', () => {
  it('says what was seen and what is allowed', () => {
    expect(reasons({ ...SAMPLE, latency_ms: '12ms' })).toEqual([
      {
        field: 'latency_ms',
        code: 'type',
        message: 'is the text "12ms"; allowed is a number of milliseconds from 0 to 86400000',
      },
    ])
  })

  it.each([
    [{ request_id: undefined }, 'request_id', 'missing'],
    [{ request_id: null }, 'request_id', 'missing'],
    [{ request_id: 7 }, 'request_id', 'type'],
    [{ request_id: '' }, 'request_id', 'range'],
    [{ request_id: 'a\0' }, 'request_id', 'format'],
    [{ model_name: 'a b' }, 'model_name', 'format'],
    [{ model_version: '1.5' }, 'model_version', 'format'],
    [{ model_version: '1'.repeat(99) }, 'model_version', 'range'],
    [{ model_version: null }, 'model_version', 'missing'],
    [{ outcome: 'OK' }, 'outcome', 'format'],
    [{ outcome: null }, 'outcome', 'missing'],
    [{ latency_ms: null }, 'latency_ms', 'missing'],
    [{ latency_ms: -1 }, 'latency_ms', 'range'],
    [{ latency_ms: Number.POSITIVE_INFINITY }, 'latency_ms', 'range'],
    [{ status_code: 200.5 }, 'status_code', 'type'],
    [{ status_code: 999 }, 'status_code', 'range'],
    [{ occurred_at: 'yesterday' }, 'occurred_at', 'format'],
    [{ occurred_at: '1902-01-01T00:00:00Z' }, 'occurred_at', 'range'],
    [{ kpi: { revenue: '7' } }, 'kpi.revenue', 'type'],
    [{ kpi: { revenue: null } }, 'kpi.revenue', 'type'],
    [{ kpi: { 'a b': 1 } }, 'kpi.a b', 'format'],
    [{ kpi: [] }, 'kpi', 'type'],
    [{ attributes: { a: 'x'.repeat(257) } }, 'attributes.a', 'range'],
    [{ is_synthetic: 1 }, 'is_synthetic', 'type'],
  ])('gives %j the field %s and the code %s', (change, field, code) => {
    expect(reasons({ ...SAMPLE, ...change })).toMatchObject([{ field, code }])
  })

  it('counts names and characters that are too many', () => {
    const kpi = Object.fromEntries(Array.from({ length: 9 }, (_, index) => [`n${index}`, 1]))
    expect(reasons({ ...SAMPLE, kpi })).toMatchObject([
      { field: 'kpi', code: 'range', message: expect.stringMatching(/^has 9 names; allowed is /) },
    ])
    expect(reasons({ ...SAMPLE, region: '😀'.repeat(65) })).toMatchObject([
      { message: 'has 65 characters; allowed is at most 64 characters' },
    ])
  })

  it('gives the reasons of all fields at once, those between fields too', () => {
    const raw = { model_name: '', status_code: 200, region: 5 }
    expect(reasons(raw).map(({ field }) => field)).toEqual([
      'request_id',
      'model_name',
      'region',
      'model_version',
      'latency_ms',
    ])
  })

  it('stays short for a value with thousands of bad names', () => {
    const kpi = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`n ${index}`, 1]))
    expect(reasons({ ...SAMPLE, kpi }).length).toBe(20)
  })
})
