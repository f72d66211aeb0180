import { ALL_CASES } from './cases/all.ts'
import { runRepetition } from './repetition.ts'
import type { Job, JobResult } from './schedule.ts'

/** One of the processes repetitions are computed in: a job in, its outcomes out. */
process.on('message', (job: Job) => {
  const test = ALL_CASES.find(({ name }) => name === job.name)
  if (test === undefined) throw new Error(`no case ${job.name}`)
  const before = process.cpuUsage()
  const outcomes = Array.from({ length: job.count }, (_, i) =>
    runRepetition(test, job.seed, job.from + i),
  )
  const { user, system } = process.cpuUsage(before)
  const result: JobResult = { ...job, outcomes, seconds: (user + system) / 1e6 }
  process.send?.(result)
})
// Nothing is left to do, or nobody to do it for.
process.on('disconnect', () => process.exit(0))
