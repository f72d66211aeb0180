import type { Asked, Outcome, Question, SimulationCase } from './case.ts'
import { releaseSpec } from './release-spec.ts'
import { eventsUntil } from './scenario.ts'

export type Column = 'bare' | 'shipped' | 'naive' | 'three'

/** A figure with its standard error: percent, or thousands of events with median and 90th percentile. */
export interface Figure {
  readonly value: number
  readonly se: number
  readonly count: number
  /** Of the times: share of releases in which it happened, percent. */
  readonly reached: number | null
  readonly median: number | null
  readonly p90: number | null
}

export interface Judged {
  readonly figure: Figure
  /** The largest (for `most` the smallest) value allowed; null without a bar. */
  readonly bar: number | null
  readonly held: boolean | null
}

export const ALPHA_PERCENT = 5
export const RARE_PERCENT = 0.1
const MOST_PERCENT = 95
export const SHIPPED_FACTOR = 1.35
const ERRORS = 3

const OUTCOME_OF: Readonly<Record<Asked, 'breach' | 'pass' | 'named' | 'split' | 'evidence'>> = {
  rolled_back: 'breach',
  events_to_rollback: 'breach',
  passed: 'pass',
  events_to_pass: 'pass',
  named: 'named',
  split_alarm: 'split',
  events_to_split_alarm: 'split',
  split_evidence: 'evidence',
  events_to_split_evidence: 'evidence',
}

export function isTime(asked: Asked): boolean {
  return asked.startsWith('events')
}

/** Null when the column says nothing about the question. */
export function figureOf(
  test: SimulationCase,
  question: Question,
  column: Column,
  outcomes: readonly Outcome[],
): Figure | null {
  const key = `${column}.${OUTCOME_OF[question.asks]}`
  const seen = outcomes.filter((outcome) => key in outcome).map((outcome) => outcome[key] ?? null)
  if (seen.length === 0) return null
  if (question.asks === 'named') {
    const known = seen.filter((value) => value !== null)
    return known.length === 0
      ? null
      : rateOf(known.filter((value) => value === 1).length, known.length)
  }
  const after = question.after ?? 0
  const horizon = test.horizonEvents - after
  const held = heldBack(test, question, column)
  const times = seen.map((value) => {
    // What happened before a regression began is not a detection of it.
    if (value === null || value <= after) return null
    return held === 0 ? value - after : Math.max(test.lookEvents, value - after - held)
  })
  const reached = times.filter((time) => time !== null).length
  if (!isTime(question.asks)) return rateOf(reached, times.length)
  return timesOf(
    times.map((time) => (time ?? horizon) / 1000),
    reached,
  )
}

/** Events by which a gate delays the first look that can say anything. */
function heldBack(test: SimulationCase, { gateBlocks }: Question, column: Column): number {
  if (gateBlocks === undefined || column === 'naive' || column === 'three') return 0
  const { warmupMs, blocks } = releaseSpec(test.guardrails, test[column] ?? '')
  const blocksNeeded = gateBlocks + warmupMs / blocks.lengthMs
  const events = eventsUntil(test.scenario, blocksNeeded)
  const { lookEvents } = test
  const look = column === 'bare' ? lookEvents * Math.ceil(events / lookEvents) : events
  return look - lookEvents
}

function rateOf(hits: number, count: number): Figure {
  const p = hits / count
  return {
    value: 100 * p,
    se: 100 * Math.sqrt((p * (1 - p)) / count),
    count,
    reached: null,
    median: null,
    p90: null,
  }
}

function timesOf(times: readonly number[], reached: number): Figure {
  const count = times.length
  const mean = times.reduce((sum, time) => sum + time, 0) / count
  const squares = times.reduce((sum, time) => sum + (time - mean) ** 2, 0)
  const sorted = [...times].sort((a, b) => a - b)
  const at = (quantile: number) => sorted[Math.min(count - 1, Math.ceil(quantile * count) - 1)]!
  return {
    value: mean,
    se: count < 2 ? 0 : Math.sqrt(squares / (count - 1) / count),
    count,
    reached: (100 * reached) / count,
    median: at(0.5),
    p90: at(0.9),
  }
}

/** `ours` within three standard errors of the bar; plain thresholds are never judged. */
export function judge(question: Question, column: Column, figure: Figure): Judged {
  const bar = barOf(question, column, figure)
  if (bar === null) return { figure, bar, held: null }
  return { figure, bar, held: question.bar === 'most' ? figure.value >= bar : figure.value <= bar }
}

function barOf({ bar, reference, asks }: Question, column: Column, figure: Figure): number | null {
  if (column === 'naive' || column === 'three') return null
  const spread = (percent: number) =>
    100 * Math.sqrt(((percent / 100) * (1 - percent / 100)) / figure.count)
  switch (bar) {
    case 'alpha':
      return ALPHA_PERCENT + ERRORS * spread(ALPHA_PERCENT)
    case 'rare':
      return RARE_PERCENT + ERRORS * spread(RARE_PERCENT)
    case 'most':
      return MOST_PERCENT - ERRORS * spread(MOST_PERCENT)
    case 'reference': {
      if (reference === undefined) return null
      if (column === 'bare' || asks !== 'events_to_rollback') {
        return column === 'bare'
          ? reference.value + ERRORS * Math.hypot(reference.se, figure.se)
          : null
      }
      const factor = SHIPPED_FACTOR
      return factor * reference.value + ERRORS * Math.hypot(factor * reference.se, figure.se)
    }
    case 'none':
      return null
  }
}
