import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import {
  decisionSchema,
  decisionToWire,
  decodeDecision,
  encodeDecision,
} from '../../../src/contract/decision.ts'
import { HaldaneError } from '../../../src/domain/errors.ts'
import { anyDecision, DECISION, ROW, wildNumber } from './decision-samples.ts'

const FIELDS = [
  'decision_id',
  'route',
  'release_id',
  'generation',
  'decided_at',
  'expires_at',
  'action',
  'phase',
  'model_name',
  'environment',
  'stable_version',
  'canary_version',
  'traffic',
  'previous_traffic',
  'total_weight',
  'step',
  'reasons',
  'evidence',
  'window',
  'counts',
  'mode',
  'decided_by',
  'policy',
  'judge_version',
]

describe('decisionToWire', () => {
  it('writes every published field, in the published order', () => {
    const wire = decisionToWire(DECISION)
    expect(Object.keys(wire)).toEqual(FIELDS)
    expect(wire).toMatchObject({
      decided_at: '2026-11-23T12:00:00.000Z',
      expires_at: '2026-11-23T12:03:00.000Z',
      step: {
        index: 0,
        count: 3,
        weight: 5,
        started_at: '2026-11-23T11:59:00.000Z',
        min_duration_s: 600,
        min_requests: 2000,
      },
      window: {
        start: '2026-11-23T11:58:50.000Z',
        end: '2026-11-23T11:59:30.000Z',
        watermark: '2026-11-23T12:00:00.000Z',
      },
      traffic: [
        { version: '1.4.2', role: 'stable', weight: 95 },
        { version: '1.5.0', role: 'canary', weight: 5 },
      ],
    })
    expect(JSON.stringify(wire.reasons)).toBe(
      '[{"code":"undecided","severity":"info","message":"about 1,200 more requests"},' +
        '{"code":"error_rate_breached","severity":"signal","metric":"error_rate",' +
        '"cohort":{"locale":"de-DE"},"message":"too many errors"}]',
    )
  })

  it('keeps its own schema, whatever numbers the judge computed', () => {
    fc.assert(
      fc.property(anyDecision, wildNumber, (decision, wild) => {
        const row = {
          ...ROW,
          stable: { value: wild, n: Math.abs(wild) || 0 },
          difference: wild,
          threshold: wild,
          logEBreach: wild,
          logEPass: -wild,
          weight: wild,
          needs: { requests: 1, seconds: wild },
          contribution: wild,
        }
        const wire = JSON.parse(encodeDecision({ ...decision, evidence: [row] })) as unknown
        expect(decisionSchema.safeParse(wire).error).toBeUndefined()
      }),
    )
  })

  it('is described by a schema whose fields have the same names and order', () => {
    const schema = z.toJSONSchema(decisionSchema, { io: 'input' })
    expect(Object.keys(schema.properties ?? {})).toEqual(FIELDS)
    expect(schema.required).toEqual(FIELDS)
  })
})

describe('encodeDecision', () => {
  it('is one line, the same for equal decisions however they were built', () => {
    const { route, evidence, ...rest } = DECISION
    const text = encodeDecision({ evidence, ...rest, route })
    expect(text).toBe(encodeDecision(DECISION))
    expect(text).not.toContain('\n')
  })

  it('writes null for the time that a last decision does not expire at', () => {
    expect(encodeDecision({ ...DECISION, expiresAtMs: null })).toContain('"expires_at":null')
  })
})

describe('decodeDecision', () => {
  it('is the inverse of encodeDecision', () => {
    fc.assert(
      fc.property(anyDecision, (decision) => {
        const text = encodeDecision(decision)
        expect(decodeDecision(text)).toEqual(decision)
        expect(encodeDecision(decodeDecision(text))).toBe(text)
      }),
      { numRuns: 300 },
    )
    expect(decodeDecision(encodeDecision(DECISION))).toStrictEqual(DECISION)
  })

  it('ignores fields it does not know', () => {
    const text = encodeDecision(DECISION).replace('{', '{"segment_overrides":[],')
    expect(decodeDecision(text)).toStrictEqual(DECISION)
  })

  it('says what is wrong with other text', () => {
    expect(() => decodeDecision('nope')).toThrow('not a decision, not even JSON: nope')
    expect(() => decodeDecision('[]')).toThrow(HaldaneError)
    const text = encodeDecision(DECISION)
      .replace('"generation":7', '"generation":0')
      .replace('"hold"', '"wait"')
      .replace('"weight":95', '"weight":"95"')
    expect(() => decodeDecision(text)).toThrow(
      /^not a decision: generation is 0; .*; action is the text "wait"; .*; traffic.0.weight is /,
    )
  })
})
