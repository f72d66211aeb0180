import { describeNode, type ProblemLog, type Read } from './source-reader.ts'
import type { SourceNode } from './yaml-source.ts'

/** A number and its unit; text without exponent, so that powers of ten can be applied without rounding twice. */
const NUMBER = String.raw`[+-]?(?:\d+(?:\.\d+)?|\.\d+)`
const QUANTITY = new RegExp(String.raw`^(${NUMBER})\s*([a-zA-Z%µ]*)$`)
const COMPOUND = /^(?:\d+(?:\.\d+)?(?:ms|[smhd]))(?:\s*\d+(?:\.\d+)?(?:ms|[smhd]))+$/

/** A number as written and its unit, which may be empty. */
interface Quantity {
  readonly number: string
  readonly unit: string
}

export const DURATION_UNITS: readonly string[] = ['ms', 's', 'm', 'h']
export const LATENCY_UNITS: readonly string[] = ['ms', 's']

/** What `readQuantity` takes as a number with one of these units, as a pattern. */
export function quantityPattern(units: readonly string[]): string {
  return String.raw`^${NUMBER}\s*(?:${units.join('|')})$`
}

function quantityOf(text: string): Quantity | null {
  const match = QUANTITY.exec(text)
  return match === null ? null : { number: match[1] ?? '', unit: match[2] ?? '' }
}

/** `0.8` and −2 → 0.008, the double nearest to the decimal result. */
export function scaled(number: string, powerOfTen: number): number {
  return Number(`${number}e${powerOfTen}`) + 0
}

/** Milliseconds of `500ms`, `10s`, `10m`, `1h`, `1.5h`; NaN for another unit. */
function quantityMs({ number, unit }: Quantity): number {
  switch (unit) {
    case 'ms':
      return Number(number)
    case 's':
      return scaled(number, 3)
    case 'm':
      return scaled(number, 4) * 6
    case 'h':
      return scaled(number, 5) * 36
    default:
      return Number.NaN
  }
}

/** Milliseconds of a duration that is known to be one; NaN for other text. */
export function durationOf(text: string): number {
  const quantity = quantityOf(text)
  return quantity === null ? Number.NaN : quantityMs(quantity)
}

/** `5%` → 0.05; NaN for other text. */
export function fractionOf(text: string): number {
  const quantity = quantityOf(text)
  return quantity?.unit === '%' ? scaled(quantity.number, -2) : Number.NaN
}

const UNIT_OF_WORD: Readonly<Record<string, string>> = {
  sec: 's',
  secs: 's',
  second: 's',
  seconds: 's',
  min: 'm',
  mins: 'm',
  minute: 'm',
  minutes: 'm',
  hr: 'h',
  hrs: 'h',
  hour: 'h',
  hours: 'h',
  msec: 'ms',
  millis: 'ms',
  milliseconds: 'ms',
}

/** A duration in ms between two written ones, both included. */
export function durationFrom(low: string, high: string): Read<number> {
  const lowMs = durationOf(low)
  const highMs = durationOf(high)
  return (node, field, log) => {
    const written = readQuantity(node, field, log, 'a duration such as 500ms, 10s, 10m or 1.5h')
    if (written === undefined) return undefined
    const ms = quantityMs(written)
    const fault = durationFault(written, ms)
    if (fault !== null) return log.add(node.place, field, fault)
    if (ms >= lowMs && ms <= highMs) return ms
    const message = `is ${written.number}${written.unit}; allowed is from ${low} to ${high}`
    return log.add(node.place, field, message)
  }
}

function durationFault({ number, unit }: Quantity, ms: number): string | null {
  if (unit === '') {
    return `${number} has no unit; write ${number}s for seconds (units are ms, s, m, h)`
  }
  if (Number.isNaN(ms)) {
    const lower = unit.toLowerCase()
    const known = UNIT_OF_WORD[lower] ?? (DURATION_UNITS.includes(lower) ? lower : undefined)
    if (known !== undefined) return `has the unit "${unit}"; write ${number}${known}`
    if (lower.startsWith('d')) {
      return `has the unit "${unit}"; write ${scaled(number, 0) * 24}h (units are ms, s, m, h)`
    }
    return `has the unit "${unit}"; units are ms, s, m, h`
  }
  return Number.isInteger(ms) ? null : `${number}${unit} is not a whole number of milliseconds`
}

/** A latency limit in ms, above 0 and up to 24 hours, written in ms or s. */
export function readLatency(node: SourceNode, field: string, log: ProblemLog): number | undefined {
  const written = readQuantity(node, field, log, 'a latency such as 120ms or 1.5s')
  if (written === undefined) return undefined
  const { number, unit } = written
  if (unit === '') {
    const message = `${number} has no unit; write ${number}ms for milliseconds or ${number}s for seconds`
    return log.add(node.place, field, message)
  }
  if (unit === '%') {
    const message = `is ${number}%, which is no latency; write max: 120ms, or max_increase: ${number}% for a relative limit`
    return log.add(node.place, field, message)
  }
  if (!LATENCY_UNITS.includes(unit)) {
    return log.add(node.place, field, `has the unit "${unit}"; a latency is written in ms or s`)
  }
  const ms = unit === 'ms' ? Number(number) : scaled(number, 3)
  if (ms > 0 && ms <= 86_400_000) return ms
  return log.add(node.place, field, `is ${number}${unit}; allowed is above 0ms and up to 86400s`)
}

/** A percentage as a fraction; `accepts` judges the number of percent, `allowed` says it in words. */
export function percentOf(accepts: (percent: number) => boolean, allowed: string): Read<number> {
  return (node, field, log) => {
    const written = readQuantity(node, field, log, 'a percentage such as 5%')
    if (written === undefined) return undefined
    const { number, unit } = written
    if (unit === '')
      return log.add(node.place, field, `${number} has no unit; ${percentHint(number)}`)
    if (unit !== '%') {
      return log.add(node.place, field, `has the unit "${unit}"; write a percentage such as 5%`)
    }
    if (accepts(Number(number))) return scaled(number, -2)
    return log.add(node.place, field, `is ${number}%; allowed is ${allowed}`)
  }
}

/** What somebody who wrote a bare number most likely meant. */
function percentHint(number: string): string {
  const value = Number(number)
  return value > 0 && value < 1
    ? `write ${number}% if it is in percent, ${scaled(number, 2)}% if it is a fraction`
    : `write ${number}%`
}

/** A number with or without unit; reports everything else. */
export function readQuantity(
  node: SourceNode,
  field: string,
  log: ProblemLog,
  expected: string,
): Quantity | undefined {
  if (node.kind !== 'scalar') {
    return log.add(node.place, field, `is ${describeNode(node)}; expected ${expected}`)
  }
  const quantity = quantityOf(node.text)
  if (quantity !== null) return quantity
  if (/^[+-]?\d+,\d+/.test(node.text)) {
    const message = `is ${describeNode(node)}; write the decimal point as "."`
    return log.add(node.place, field, message)
  }
  const one = COMPOUND.test(node.text) ? '; write one number with one unit, such as 90m' : ''
  return log.add(node.place, field, `is ${describeNode(node)}; expected ${expected}${one}`)
}
