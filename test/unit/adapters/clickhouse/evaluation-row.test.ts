import { describe, expect, it } from 'vitest'
import { evaluationRow } from '../../../../src/adapters/clickhouse/evaluation-row.ts'
import { buildRow } from '../../../support/builders.ts'

describe('a row of evaluations', () => {
  it('writes infinite evidence as words and overall as no cohort', () => {
    const row = buildRow({
      logEBreach: Number.NEGATIVE_INFINITY,
      logEPass: Number.POSITIVE_INFINITY,
      ciLow: Number.NaN,
    })
    expect(evaluationRow('r', 0, row, 'now')).toMatchObject({
      release_id: 'r',
      window_end: '1970-01-01 00:00:00.000',
      locale: '',
      device: '',
      log_e_breach: '-inf',
      log_e_pass: 'inf',
      ci_low: 'nan',
      needs_requests: null,
      recorded_at: 'now',
    })
  })

  it('names the values of a cohort', () => {
    const row = buildRow({ cohort: { device: 'tv' }, needs: { requests: 5, seconds: 1.5 } })
    expect(evaluationRow('r', 0, row, 'now')).toMatchObject({
      locale: '',
      device: 'tv',
      needs_requests: 5,
      needs_seconds: 1.5,
    })
  })
})
