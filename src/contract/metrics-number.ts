import type { Moments } from '../domain/block.ts'
import { describeNode, type ProblemLog, pathOf, type Read, readMap } from './source-reader.ts'
import type { SourceNode } from './yaml-source.ts'

/** More requests than any version answers in one window. */
export const LARGEST_COUNT = 10_000_000_000
/** Sums of as many values as that, each within ±1e9. */
export const LARGEST_SUM = 1e19
export const LARGEST_SQUARES = 1e28

/** Rounding of a sum that was added up in another order, relative. */
const ROUNDING = 1e-9

/** A finite number that is written as one; text and NaN are reported. */
function numberOf(
  node: SourceNode,
  field: string,
  log: ProblemLog,
  expected: string,
): number | undefined {
  const isNumber = node.kind === 'scalar' && !node.quoted && typeof node.value === 'number'
  if (!isNumber) {
    const unquoted = node.kind === 'scalar' && node.quoted && Number.isFinite(Number(node.text))
    const hint = unquoted && node.text.trim() !== '' ? ', without quotes' : ''
    return log.add(node.place, field, `is ${describeNode(node)}; expected ${expected}${hint}`)
  }
  const value = Number(node.text)
  if (Number.isFinite(value)) return value
  return log.add(node.place, field, `is ${node.text}; expected ${expected}`)
}

/** How many: a whole number from 0. */
export const readCount: Read<number> = (node, field, log) => {
  const expected = `a whole number from 0 to ${LARGEST_COUNT}`
  const value = numberOf(node, field, log, expected)
  if (value === undefined) return undefined
  if (Number.isInteger(value) && value >= 0 && value <= LARGEST_COUNT) return value + 0
  const hint =
    value > 0 && value < LARGEST_COUNT && !Number.isInteger(value)
      ? ' (in PromQL: round(increase(…)))'
      : ''
  return log.add(node.place, field, `is ${describeNode(node)}; expected ${expected}${hint}`)
}

/** A number within bounds, both included. */
export function amountFrom(low: number, high: number, meaning = ''): Read<number> {
  return (node, field, log) => {
    const expected = `a number from ${low} to ${high}${meaning}`
    const value = numberOf(node, field, log, expected)
    if (value === undefined) return undefined
    if (value >= low && value <= high) return value + 0
    return log.add(node.place, field, `is ${describeNode(node)}; expected ${expected}`)
  }
}

/**
 * Count, sum and sum of squares. Reports what no list of values within `bounds` can have; without
 * bounds what no list of numbers can have.
 */
export function momentsOf(bounds: readonly [number, number] | null): Read<Moments> {
  return (node, field, log) => {
    const map = readMap(node, field, ['n', 'sum', 'sum_sq'], log)
    if (map === undefined) return undefined
    const n = map.required('n', readCount, '27000')
    const sum = map.required('sum', amountFrom(-LARGEST_SUM, LARGEST_SUM), '23220.0')
    const sumSquares = map.required('sum_sq', amountFrom(0, LARGEST_SQUARES), '20358.0')
    if (n === undefined || sum === undefined || sumSquares === undefined) return undefined
    const moments = { n, sum, sumSquares }
    const fault = momentsFault(moments, bounds)
    if (fault === null) return moments
    return log.add(map.placeOf(fault.key), pathOf(field, fault.key), fault.message)
  }
}

function momentsFault(
  { n, sum, sumSquares }: Moments,
  bounds: readonly [number, number] | null,
): { key: 'sum' | 'sum_sq'; message: string } | null {
  const outside = (value: number, low: number, high: number): boolean => {
    const slack = ROUNDING * Math.max(Math.abs(value), Math.abs(low), Math.abs(high))
    return value < low - slack || value > high + slack
  }
  if (bounds !== null && outside(sum, n * bounds[0], n * bounds[1])) {
    const [low, high] = bounds
    const allowed = `${shown(n * low)} to ${shown(n * high)}`
    return {
      key: 'sum',
      message: `is ${shown(sum)}; ${n} values from ${low} to ${high} sum to ${allowed}`,
    }
  }
  if (bounds === null && n === 0 && sum !== 0) {
    return { key: 'sum', message: `is ${shown(sum)} of no values; expected 0` }
  }
  const least = n === 0 ? 0 : (sum * sum) / n
  if (outside(sumSquares, least, Number.POSITIVE_INFINITY)) {
    const message = `is ${shown(sumSquares)}; the squares of ${n} values with sum ${shown(sum)} sum to at least ${shown(least)}`
    return { key: 'sum_sq', message }
  }
  // (x − low)(high − x) ≥ 0 for every value, so Σx² ≤ (low + high)·Σx − n·low·high.
  const most =
    n === 0
      ? 0
      : bounds === null
        ? LARGEST_SQUARES
        : (bounds[0] + bounds[1]) * sum - n * bounds[0] * bounds[1]
  const scale = bounds === null ? 0 : n * Math.max(bounds[0] ** 2, bounds[1] ** 2)
  if (sumSquares > most + ROUNDING * Math.max(most, scale)) {
    const between = bounds === null ? '' : ` from ${bounds[0]} to ${bounds[1]}`
    const message = `is ${shown(sumSquares)}; the squares of ${n} values${between} with sum ${shown(sum)} sum to at most ${shown(most)}`
    return { key: 'sum_sq', message }
  }
  return null
}

function shown(value: number): string {
  return String(Number(value.toPrecision(10)))
}
