import type { UserBuckets } from '../../domain/block.ts'
import { MILLIONTHS } from './fixed-point.ts'

/** How many groups the users of a cell fall into: the design effect of a metric is taken from them. */
const USER_BUCKETS = 64
/** Group of the requests that name no session. */
export const NO_BUCKET = USER_BUCKETS

/** A hash that is the same on every machine, so that a user stays in one bucket from block to block. */
export const USER_BUCKET = `if(session_id = '', ${NO_BUCKET}, toUInt8(cityHash64(session_id) % ${USER_BUCKETS}))`

interface UserShape {
  readonly limits: number
  readonly kpis: number
  readonly slowBins: number
}

/** What an empty list stands for: a list as it is, the requests, nothing but zeros. */
type Short = 'no' | 'requests' | 'zeros'

/** The lists of a cell's users in their order, each with what it is when it is left empty. */
function listsOf({ limits, slowBins, kpis }: UserShape): [measure: string, short: Short][] {
  const numbered = (of: string, count: number) =>
    Array.from({ length: count }, (_, at): [string, Short] => [`${of}_${at}`, 'zeros'])
  return [
    ['bucket', 'no'],
    ['requests', 'no'],
    ['errors', 'zeros'],
    ['latencies', 'requests'],
    ...numbered('over', limits),
    ...numbered('slow', slowBins),
    ['quality_n', 'requests'],
    ['quality_sum', 'zeros'],
    ...Array.from({ length: kpis }, (_, at): [string, Short][] => [
      [`kpi_n_${at}`, 'requests'],
      [`kpi_sum_${at}`, 'zeros'],
    ]).flat(),
  ]
}

/** The buckets of a cell as tuples, ascending, of the rows that are one bucket each. */
export function userTuples(shape: UserShape, areBuckets: string): string {
  const measures = listsOf(shape).map(([measure]) => measure)
  return `arraySort(user -> user.1, groupArrayIf((${measures.join(', ')}), ${areBuckets} AND requests > 0))`
}

/**
 * Text of the tuples: lists with spaces between them, numbers with commas. Most buckets of a small
 * cell hold one request like any other, so what can be told from the requests is left out. A text is
 * read several times faster than arrays are, and a day has hundreds of thousands of cells.
 */
export function userText(tuples: string, shape: UserShape): string {
  const lists = listsOf(shape).map(([, short], index) => {
    const list = `${tuples}.${index + 1}`
    const text = `arrayStringConcat(${list}, ',')`
    if (short === 'no') return text
    const isShort = short === 'requests' ? `${list} = ${tuples}.2` : `arrayAll(n -> n = 0, ${list})`
    return `if(${isShort}, '', ${text})`
  })
  return `if(empty(${tuples}), '', concat(${lists.join(", ' ', ")}))`
}

/** Users of a cell of a release with so many absolute limits and KPIs; undefined without any. */
export function usersOf(text: string, limits: number, kpis: number): UserBuckets | undefined {
  if (text === '') return undefined
  const lists = listsIn(text)
  const [buckets = EMPTY, requests = EMPTY] = lists
  const zeros = new Array<number>(buckets.length).fill(0)
  const at = (index: number, short: readonly number[]) => {
    const list = lists[index] ?? EMPTY
    return list.length === 0 ? short : list
  }
  const counts = (from: number, to: number) =>
    lists.slice(from, to).map((list) => (list.length === 0 ? zeros : list))
  const slowFrom = 4 + limits
  const quality = lists.length - 2 * (1 + kpis)
  const kpiN: (readonly number[])[] = []
  const kpiSum: (readonly number[])[] = []
  for (let kpi = quality + 2; kpi < lists.length; kpi += 2) {
    kpiN.push(at(kpi, requests))
    kpiSum.push(inUnits(at(kpi + 1, zeros)))
  }
  return {
    buckets,
    requests,
    errors: at(2, zeros),
    latencies: at(3, requests),
    overLimit: counts(4, slowFrom),
    overSlowBin: counts(slowFrom, quality),
    qualityN: at(quality, requests),
    qualitySum: inUnits(at(quality + 1, zeros)),
    kpiN,
    kpiSum,
  }
}

const EMPTY: readonly number[] = []
const SPACE = 32
const COMMA = 44
const MINUS = 45
const ZERO = 48
/** Whole numbers of so many characters are exact on the way. */
const EXACT_LENGTH = 15

/**
 * Lists of whole numbers, each as near as a Float64 comes; all that are not empty are as long as the
 * first. Written for speed: a day of a release has millions of numbers.
 */
function listsIn(text: string): (readonly number[])[] {
  const lists: (readonly number[])[] = []
  const length = lengthOfFirst(text)
  let list: number[] = []
  let count = 0
  let from = 0
  let value = 0
  for (let at = 0; at <= text.length; at++) {
    const code = at === text.length ? SPACE : text.charCodeAt(at)
    if (code >= ZERO) value = value * 10 + (code - ZERO)
    if (code >= MINUS) continue
    if (at > from) {
      if (count === 0) list = new Array<number>(length)
      list[count++] = exact(text, from, at, value)
    }
    from = at + 1
    value = 0
    if (code === COMMA) continue
    lists.push(count === 0 ? EMPTY : list)
    count = 0
  }
  return lists
}

function lengthOfFirst(text: string): number {
  let length = 1
  for (let at = 0; at < text.length && text.charCodeAt(at) !== SPACE; at++) {
    if (text.charCodeAt(at) === COMMA) length++
  }
  return length
}

/** The number from one place to another, of which the digits were read as `value`. */
function exact(text: string, from: number, to: number, value: number): number {
  if (to - from > EXACT_LENGTH) return Number(text.slice(from, to))
  return text.charCodeAt(from) === MINUS ? -value : value
}

function inUnits(millionths: readonly number[]): number[] {
  const units = new Array<number>(millionths.length)
  for (let at = 0; at < millionths.length; at++) {
    units[at] = (millionths[at] as number) / MILLIONTHS
  }
  return units
}
