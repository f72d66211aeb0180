import { systemClock } from '../../src/adapters/ops/clock.ts'
import { silentLog } from '../../src/adapters/ops/logger.ts'
import { runReplay } from '../../src/commands/replay.ts'
import { processTerminal } from '../../src/commands/terminal.ts'
import { runTask, startMeter, type Usage } from './child.ts'

export interface ReplayTask {
  readonly release: string
  readonly events: string
}

export interface ReplayResult extends Usage {
  readonly decisions: number
  /** The summary the verb writes last. */
  readonly summary: { readonly events: number; readonly accepted: number }
}

/** What `haldane replay --json` does after its arguments are parsed, in this process. */
await runTask(async ({ release, events }: ReplayTask): Promise<ReplayResult> => {
  let decisions = 0
  let lastNote = ''
  const terminal = {
    ...processTerminal({ NO_COLOR: '1' }),
    out: () => {
      decisions++
    },
    note: (text: string) => {
      lastNote = text
    },
  }
  const environment = { clock: systemClock, log: silentLog, version: 'bench' }
  const stopMeter = startMeter()
  await runReplay({ release, events, split: 'observed', json: true }, terminal, environment)
  const usage = stopMeter()
  return { ...usage, decisions, summary: JSON.parse(lastNote) as ReplayResult['summary'] }
})
