import { describe, expect, it } from 'vitest'
import {
  durationFrom,
  durationOf,
  fractionOf,
  percentOf,
  readLatency,
  scaled,
} from '../../../src/contract/release-units.ts'
import { createProblemLog, type Read } from '../../../src/contract/source-reader.ts'

const place = { file: 'f.yaml', line: 1, column: 1 }

function read<T>(reader: Read<T>, text: string): T | string | undefined {
  const log = createProblemLog()
  const value = reader({ kind: 'scalar', place, value: text, text, quoted: false }, 'field', log)
  return log.problems[0]?.message ?? value
}

describe('durationFrom', () => {
  const duration = durationFrom('0s', '720h')

  it.each([
    ['500ms', 500],
    ['10s', 10_000],
    ['10m', 600_000],
    ['1h', 3_600_000],
    ['1.5h', 5_400_000],
    ['0.1m', 6000],
    ['.5s', 500],
    ['10 s', 10_000],
    ['0s', 0],
    ['0.001s', 1],
    ['1.1h', 3_960_000],
  ])('reads %s as %i ms', (text, ms) => {
    expect(read(duration, text)).toBe(ms)
  })

  it.each([
    ['60', '60 has no unit; write 60s for seconds (units are ms, s, m, h)'],
    ['10min', 'has the unit "min"; write 10m'],
    ['10S', 'has the unit "S"; write 10s'],
    ['1.5d', 'has the unit "d"; write 36h (units are ms, s, m, h)'],
    ['3weeks', 'has the unit "weeks"; units are ms, s, m, h'],
    ['1h30m', /write one number with one unit, such as 90m$/],
    ['1,5h', 'is "1,5h"; write the decimal point as "."'],
    ['soon', 'is "soon"; expected a duration such as 500ms, 10s, 10m or 1.5h'],
    ['0.5ms', '0.5ms is not a whole number of milliseconds'],
    ['-1s', 'is -1s; allowed is from 0s to 720h'],
    ['721h', 'is 721h; allowed is from 0s to 720h'],
  ])('says of %s what to write instead', (text, message) => {
    expect(read(duration, text)).toMatch(message)
  })
})

describe('readLatency', () => {
  it.each([
    ['120ms', 120],
    ['1.5s', 1500],
    ['0.25ms', 0.25],
    ['86400s', 86_400_000],
  ])('reads %s as %d ms', (text, ms) => {
    expect(read(readLatency, text)).toBe(ms)
  })

  it.each([
    ['120', '120 has no unit; write 120ms for milliseconds or 120s for seconds'],
    ['10%', /write max: 120ms, or max_increase: 10% for a relative limit/],
    ['2m', 'has the unit "m"; a latency is written in ms or s'],
    ['0ms', 'is 0ms; allowed is above 0ms and up to 86400s'],
    ['86401s', 'is 86401s; allowed is above 0ms and up to 86400s'],
    ['fast', 'is "fast"; expected a latency such as 120ms or 1.5s'],
  ])('says of %s what to write instead', (text, message) => {
    expect(read(readLatency, text)).toMatch(message)
  })
})

describe('percentOf', () => {
  const percent = percentOf((value) => value > 0 && value <= 50, 'above 0% and up to 50%')

  it('gives the double nearest to the fraction', () => {
    expect(read(percent, '0.8%')).toBe(0.008)
    expect(read(percent, '0.7%')).toBe(0.007)
    expect(read(percent, '5 %')).toBe(0.05)
  })

  it.each([
    ['5', '5 has no unit; write 5%'],
    ['0.05', '0.05 has no unit; write 0.05% if it is in percent, 5% if it is a fraction'],
    ['5pp', 'has the unit "pp"; write a percentage such as 5%'],
    ['0%', 'is 0%; allowed is above 0% and up to 50%'],
    ['60%', 'is 60%; allowed is above 0% and up to 50%'],
  ])('says of %s what to write instead', (text, message) => {
    expect(read(percent, text)).toBe(message)
  })
})

describe('scaled', () => {
  it('moves the decimal point without rounding twice', () => {
    expect(scaled('0.7', -2)).toBe(0.007)
    expect(scaled('1.005', 3)).toBe(1005)
    expect(Object.is(scaled('-0', -2), 0)).toBe(true)
  })
})

describe('durationOf and fractionOf', () => {
  it('read the words of the defaults, and nothing else', () => {
    expect(durationOf('24h')).toBe(86_400_000)
    expect(fractionOf('5%')).toBe(0.05)
    expect(durationOf('24')).toBeNaN()
    expect(durationOf('')).toBeNaN()
    expect(fractionOf('5')).toBeNaN()
  })
})
