import { build } from './build.ts'
import { runChild } from './child.ts'
import type { Note } from './ingest.ts'
import type { JudgeResult, JudgeTask } from './judge-process.ts'
import { COHORTS, GUARDRAILS, REQUESTS_PER_BLOCK } from './judge-releases.ts'
import { count, type ResultRow } from './report.ts'

const TICK_SECONDS_MAX = 5
const HEAP_MB_MAX = 2
/** A day has nine restarts of the breach evidence more than an hour, and never any more. */
const AGE_RATIO_MAX = 1.5
const RESTORE_SECONDS_MAX = 5

const RELEASES = 1000
const ROUNDS = 5
const AGED_RELEASES = 5
const AGED_ROUNDS = 100
const MB = 1024 * 1024

export async function runJudge(say: Note): Promise<ResultRow[]> {
  say(`
judge: no store and no broker; ${COHORTS} cohorts x ${GUARDRAILS} guardrails, ${count(REQUESTS_PER_BLOCK)} requests a block, sessions in half of the
cohorts, restarts as shipped; as built for the package. CPU seconds of all threads of one process, garbage
collection included: what one core needs. A tick folds one more block, assesses it and decides.
  ${count(RELEASES)} releases, each with all of its restarts behind it; ${ROUNDS} rounds over all of them.
  ${AGED_RELEASES} releases a day old (8,640 blocks, folded silently as at a start of the worker) and ${AGED_RELEASES} an hour
  old (360), in turns, ${AGED_ROUNDS} rounds.`)
  await build()
  const many = await measure({ kind: 'many', releases: RELEASES, rounds: ROUNDS })
  const tick = median(many.roundSeconds)
  say(
    `  ${many.rows} comparisons a release; ${many.decisions} decisions; rounds ${many.roundSeconds.map(seconds).join(', ')}`,
  )
  const aged = await measure({ kind: 'age', releases: AGED_RELEASES, rounds: AGED_ROUNDS })
  const [hour, day] = [median(aged.hourMs), median(aged.dayMs)]
  const heap = Math.max(many.heapBytesPerRelease, aged.heapBytesPerRelease) / MB
  const restore = median(aged.restoreSeconds)
  say(`  folded again: ${aged.restoreSeconds.map(seconds).join(', ')}`)
  return [
    {
      part: 'judge',
      figure: `one block of each of ${count(RELEASES)} releases`,
      measured: `${seconds(tick)} (median of ${ROUNDS} rounds; slowest ${seconds(Math.max(...many.roundSeconds))})`,
      bar: `<= ${TICK_SECONDS_MAX} s`,
      met: tick <= TICK_SECONDS_MAX,
    },
    {
      part: 'judge',
      figure: 'evidence of a release, heap',
      measured: `${heap.toFixed(2)} MB`,
      bar: `<= ${HEAP_MB_MAX} MB`,
      met: heap <= HEAP_MB_MAX,
    },
    {
      part: 'judge',
      figure: 'a tick at a day / at an hour of age',
      measured: `${(day / hour).toFixed(2)} x (${day.toFixed(2)} / ${hour.toFixed(2)} ms, medians)`,
      bar: `<= ${AGE_RATIO_MAX} x`,
      met: day / hour <= AGE_RATIO_MAX,
    },
    {
      part: 'judge',
      figure: 'a day of blocks folded again',
      measured: `${seconds(restore)} (median of ${AGED_RELEASES}; slowest ${seconds(Math.max(...aged.restoreSeconds))})`,
      bar: `<= ${RESTORE_SECONDS_MAX} s`,
      met: restore <= RESTORE_SECONDS_MAX,
    },
  ]
}

function measure(task: JudgeTask): Promise<JudgeResult> {
  return runChild<JudgeTask, JudgeResult>('./judge-process.ts', task)
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[sorted.length >> 1] ?? Number.NaN
}

function seconds(value: number): string {
  return `${value.toFixed(2)} s`
}
