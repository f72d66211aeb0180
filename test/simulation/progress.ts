import type { Job, JobResult, Progress } from './schedule.ts'
import type { Chunk } from './state.ts'

const EVERY_MS = 5000

interface Cost {
  repetitions: number
  seconds: number
}

/** Says on `write` how far the run is and about how long it still takes. */
export function createProgress(processes: number, write: (line: string) => void): Progress {
  const costs = new Map<string, Cost>()
  const open = new Map<string, number>()
  let total = 0
  let finished = 0
  let saidAt = 0
  const startedAt = performance.now()

  const note = (name: string, repetitions: number, seconds: number): void => {
    const cost = costs.get(name) ?? { repetitions: 0, seconds: 0 }
    cost.repetitions += repetitions
    cost.seconds += seconds
    costs.set(name, cost)
  }
  const secondsLeft = (): number => {
    const all = [...costs.values()].map(({ repetitions, seconds }) => seconds / repetitions)
    const typical = all.reduce((sum, each) => sum + each, 0) / Math.max(1, all.length)
    let left = 0
    for (const [name, repetitions] of open) {
      const cost = costs.get(name)
      left += repetitions * (cost === undefined ? typical : cost.seconds / cost.repetitions)
    }
    return left / processes
  }

  return {
    started(jobs: readonly Job[], done: ReadonlyMap<string, readonly Chunk[]>) {
      for (const [name, chunks] of done) {
        for (const { outcomes, seconds } of chunks) note(name, outcomes.length, seconds)
      }
      for (const { name, count } of jobs) open.set(name, (open.get(name) ?? 0) + count)
      total = jobs.reduce((sum, { count }) => sum + count, 0)
      const kept = [...costs.values()].reduce((sum, { repetitions }) => sum + repetitions, 0)
      write(`${total} repetitions of ${open.size} cases to do, ${kept} done before`)
    },
    finished({ name, outcomes, seconds }: JobResult) {
      note(name, outcomes.length, seconds)
      open.set(name, open.get(name)! - outcomes.length)
      finished += outcomes.length
      const now = performance.now()
      if (now - saidAt < EVERY_MS && finished < total) return
      saidAt = now
      const percent = ((100 * finished) / total).toFixed(0)
      write(
        `${finished}/${total} (${percent} %), ${clock((now - startedAt) / 1000)} so far, about ${clock(secondsLeft())} left; ${name}`,
      )
    },
  }
}

function clock(seconds: number): string {
  const s = Math.round(seconds)
  if (s < 60) return `${s} s`
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`
  return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`
}
