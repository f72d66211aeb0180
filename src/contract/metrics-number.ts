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
/** Squares below it are lost in the rounding of any sum. */
const SMALLEST_SQUARE = 1e-9

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

type Fault = { readonly key: 'sum' | 'sum_sq'; readonly message: string }

function momentsFault(moments: Moments, bounds: readonly [number, number] | null): Fault | null {
  const { n, sum, sumSquares } = moments
  if (n === 0) {
    const key = sum !== 0 ? 'sum' : sumSquares !== 0 ? 'sum_sq' : null
    const value = key === 'sum' ? sum : sumSquares
    return key === null ? null : { key, message: `is ${shown(value)} of no values; expected 0` }
  }
  const outside = bounds === null ? null : boundsFault(moments, bounds)
  if (outside !== null) return outside
  // Cauchy and Schwarz: (Σx)² ≤ n·Σx².
  const least = (sum * sum) / n
  if (sumSquares >= least - ROUNDING * Math.max(least, SMALLEST_SQUARE)) return null
  const message = `is ${shown(sumSquares)}; the squares of ${n} values with sum ${shown(sum)} sum to at least ${shown(least)}`
  return { key: 'sum_sq', message }
}

function boundsFault(
  { n, sum, sumSquares }: Moments,
  [low, high]: readonly [number, number],
): Fault | null {
  const widest = Math.max(Math.abs(low), Math.abs(high))
  const slack = ROUNDING * n * widest
  if (sum < n * low - slack || sum > n * high + slack) {
    const message = `is ${shown(sum)}; ${n} values from ${low} to ${high} sum to ${shown(n * low)} to ${shown(n * high)}`
    return { key: 'sum', message }
  }
  // (x − low)(high − x) ≥ 0 for every value, so Σx² ≤ (low + high)·Σx − n·low·high.
  const most = (low + high) * sum - n * low * high
  if (sumSquares <= most + slack * widest) return null
  const message = `is ${shown(sumSquares)}; the squares of ${n} values from ${low} to ${high} with sum ${shown(sum)} sum to at most ${shown(most)}`
  return { key: 'sum_sq', message }
}

function shown(value: number): string {
  return String(Number(value.toPrecision(10)))
}
