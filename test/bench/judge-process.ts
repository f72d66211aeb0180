import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { ReleaseRun } from '../../src/pipeline/release-run.ts'
import { runTask } from './child.ts'
import { createMaterial, DAY_MS, type Material, restoredRelease } from './judge-releases.ts'

export type JudgeTask =
  | { readonly kind: 'many'; readonly releases: number; readonly rounds: number }
  | { readonly kind: 'age'; readonly releases: number; readonly rounds: number }

export interface JudgeResult {
  /** Of `many`: CPU seconds of each round over all releases. */
  readonly roundSeconds: number[]
  /** Of `age`: CPU milliseconds of a tick of one release, by round, at an hour and at a day. */
  readonly hourMs: number[]
  readonly dayMs: number[]
  /** Per release that is a day old: CPU seconds to fold its blocks silently. */
  readonly restoreSeconds: number[]
  readonly heapBytesPerRelease: number
  readonly decisions: number
  readonly rows: number
}

const HOUR_MS = 3_600_000
/** Of the many releases: a day is seventy-two of them, so that all restarts are behind them. */
const LONG_BLOCK_MS = 1_200_000
const BLOCK_MS = 10_000

const NONE = { roundSeconds: [], hourMs: [], dayMs: [], restoreSeconds: [] }

await runTask((task: JudgeTask) => (task.kind === 'many' ? measureMany(task) : measureAge(task)))

/** Every release gets one more block and decides on it. */
async function measureMany({ releases, rounds }: JudgeTask): Promise<JudgeResult> {
  const material = createMaterial(LONG_BLOCK_MS)
  const before = DAY_MS / LONG_BLOCK_MS - rounds
  const emptyBytes = heapBytes()
  const runs: ReleaseRun[] = []
  for (let release = 0; release < releases; release++) {
    runs.push(await restoredRelease(material, release, before))
  }
  let decisions = 0
  const roundSeconds: number[] = []
  for (let round = 0; round < rounds; round++) {
    const stop = startCpu()
    decisions += tickAll(runs, material, before + round)
    roundSeconds.push(stop())
  }
  const heapBytesPerRelease = (heapBytes() - emptyBytes) / releases
  return { ...NONE, roundSeconds, heapBytesPerRelease, decisions, rows: rowsOf(runs) }
}

/** The same tick of releases an hour and a day old, in turns; the day is folded silently first. */
async function measureAge({ releases, rounds }: JudgeTask): Promise<JudgeResult> {
  const material = createMaterial(BLOCK_MS)
  const [hour, day] = [HOUR_MS / BLOCK_MS - rounds, DAY_MS / BLOCK_MS - rounds]
  const emptyBytes = heapBytes()
  const [young, old]: ReleaseRun[][] = [[], []]
  const restoreSeconds: number[] = []
  for (let release = 0; release < releases; release++) {
    const stop = startCpu()
    old?.push(await restoredRelease(material, release, day))
    restoreSeconds.push(stop())
  }
  const heapBytesPerRelease = (heapBytes() - emptyBytes) / releases
  for (let release = 0; release < releases; release++) {
    young?.push(await restoredRelease(material, release, hour))
  }
  let decisions = 0
  const [hourMs, dayMs]: number[][] = [[], []]
  for (let round = 0; round < rounds; round++) {
    for (const [runs, from, into] of [
      [young, hour, hourMs],
      [old, day, dayMs],
    ] as const) {
      const stop = startCpu()
      decisions += tickAll(runs ?? [], material, from + round)
      into?.push((stop() * 1000) / releases)
    }
  }
  return {
    ...NONE,
    ...{ hourMs: hourMs ?? [], dayMs: dayMs ?? [] },
    ...{ restoreSeconds, heapBytesPerRelease, decisions, rows: rowsOf(old ?? []) },
  }
}

function tickAll(runs: readonly ReleaseRun[], material: Material, block: number): number {
  let decisions = 0
  for (const [release, run] of runs.entries()) {
    if (run.onBlock(material.blockAt(release, block)) !== null) decisions++
  }
  return decisions
}

/** How many comparisons each release makes; the same for all, and none of them finished. */
function rowsOf(runs: readonly ReleaseRun[]): number {
  const [first] = runs
  if (first === undefined || runs.some(({ finished }) => finished)) {
    throw new Error('a release has ended')
  }
  return first.assessment?.rows.length ?? 0
}

/** CPU time of all threads: what one core would need, garbage collection included. */
function startCpu(): () => number {
  const before = process.cpuUsage()
  return () => {
    const { user, system } = process.cpuUsage(before)
    return (user + system) / 1e6
  }
}

function heapBytes(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  collect()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}
