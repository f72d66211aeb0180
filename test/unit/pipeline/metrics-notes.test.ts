import { describe, expect, it } from 'vitest'
import { readMetricsFile } from '../../../src/contract/metrics-file.ts'
import type { ReleaseSpec } from '../../../src/domain/release.ts'
import { notesOn } from '../../../src/pipeline/metrics-notes.ts'
import { sampleFile, sampleRow } from '../contract/metrics-samples.ts'
import { ERROR_MAX, P95_INCREASE, P95_MAX, specOf } from '../judge/judge-builders.ts'

function notesFor(content: unknown, spec: ReleaseSpec = specOf([P95_MAX])): string[] {
  const bytes = new TextEncoder().encode(JSON.stringify(content))
  const read = readMetricsFile(bytes, 'm.json', spec)
  if (!('file' in read)) throw new Error(JSON.stringify(read.problems))
  return notesOn(read.file, spec)
}

const le = (counts: object) => ({ latency_ms: { le: counts } })
const both = (change: object) => sampleFile({ ...change }, { ...change })

describe('what people are told of how their numbers are read', () => {
  it('is nothing where nothing needs saying', () => {
    expect(notesFor(sampleFile())).toEqual([])
  })

  it.each([
    [
      'edges in seconds',
      both(le({ '0.1': 5, '2.5': 9, '+Inf': 9 })),
      'the largest edge of latency_ms.le is 2.5: are these seconds?',
    ],
    [
      'a limit between two edges',
      both(le({ '100': 5, '150': 9, '+Inf': 9 })),
      'no edge at the limit 120ms: above 150 is a breach, up to 100 is a pass',
    ],
    [
      'a limit beyond the edges',
      both(le({ '100': 5, '+Inf': 9 })),
      'above every edge is a breach, up to 100 is a pass',
    ],
    [
      'no common edge',
      sampleFile(le({ '100': 5, '+Inf': 9 }), le({ '120': 5, '+Inf': 9 })),
      'the latency histograms have no edge in common',
    ],
    [
      'unknown words',
      sampleFile({ locale: '???', device: 'fridge' }, {}),
      'unknown locales count as und, unknown devices as other: ???, fridge',
    ],
    [
      'values without counts',
      both({ latency_ms: { p95: 5 } }),
      'nothing is known of their uncertainty',
    ],
  ])('names %s', (_, content, note) => {
    expect(notesFor(content)).toEqual([expect.stringContaining(note)])
  })

  it('names versions that are left out, the first of many', () => {
    const others = ['1', '2', '3', '4', '5', '6'].map((minor) => sampleRow(`0.${minor}.0`))
    const content = sampleFile({}, {}, { rows: [...(sampleFile()['rows'] as object[]), ...others] })
    expect(notesFor(content)).toEqual([
      'rows of other versions are left out: 0.1.0, 0.2.0, 0.3.0, 0.4.0, 0.5.0 and 1 more',
    ])
  })

  it('says where a relative limit is counted, and that it needs enough of the stable version', () => {
    const spec = specOf([P95_INCREASE])
    expect(notesFor(sampleFile(), spec)).toEqual([
      'latency_p95 max_increase: 0.1: 1.0.0 is counted above 100ms, 1.1.0 above 120ms for a breach and above 100ms for a pass; an edge at 110 tells sooner',
    ])
    expect(notesFor(both(le({ '100': 990, '110': 990, '+Inf': 999 })), spec)).toEqual([
      '1.0.0 has 999 latencies; a relative latency limit needs 1000 of them',
    ])
    expect(notesFor(sampleFile(), specOf([ERROR_MAX]))).toEqual([])
  })
})
