import type { MetricsFile } from '../contract/metrics-file.ts'
import type { MetricsRow } from '../contract/metrics-row.ts'
import type { Decision } from '../domain/decision.ts'
import { HaldaneError } from '../domain/errors.ts'
import type { ReleaseSpec } from '../domain/release.ts'
import { judgeWindow } from '../judge/one-window.ts'
import { decideAtBlockEnd, stateAtStep } from '../rollout/rollout.ts'
import { identify } from './identity.ts'
import { windowOf } from './metrics-window.ts'

/** A share may be this many standard errors below the weight it comes from … */
const SHARE_NOISE = 3
/** … but not by more than this part of it: a few requests must not look like a larger step. */
const SHARE_TOLERANCE = 0.1

/**
 * One decision from the numbers of one window: the judge and the rollout of a running release, on a
 * release that stands at the step of the observed share since the window began. Pure: the same file
 * gives the same decision, with event time as its time.
 */
export function judgeMetrics(
  spec: ReleaseSpec,
  file: MetricsFile,
  { trustPoints }: { readonly trustPoints: boolean },
): Decision {
  const { startMs, endMs } = file.window
  const window = windowOf(file, spec, trustPoints)
  // A window has an age of its own only: how old the release is, it does not tell.
  const alone: ReleaseSpec = {
    ...spec,
    blocks: { ...spec.blocks, lengthMs: 1 },
    maxDurationMs: Number.POSITIVE_INFINITY,
  }
  const state = stateAtStep(alone, stepOf(spec, file), startMs)
  const counts = { events: window.block.events, duplicates: 0, late: 0 }
  const at = { endMs, releaseStartMs: startMs, counts }
  const draft = decideAtBlockEnd(alone, state, judgeWindow(spec, window), at)
  if (draft === null) throw new HaldaneError('internal', 'a window without a decision')
  return identify(spec, draft, {
    releaseId: `${spec.route}/${spec.canary}`,
    generation: 1,
    decidedAtMs: draft.window.watermarkMs,
    by: 'judge',
  })
}

/** The step of the largest weight not above the observed share, up to its noise; else the first. */
function stepOf(spec: ReleaseSpec, file: MetricsFile): number {
  const canary = requestsOf(file.canary)
  const all = canary + requestsOf(file.stable)
  if (all === 0) return 0
  const noise = SHARE_NOISE * Math.sqrt((canary / all) * (1 - canary / all) * all)
  const reached = spec.plan.findLastIndex(({ weight }) => {
    const expected = (weight / spec.totalWeight) * all
    return expected - Math.min(noise, SHARE_TOLERANCE * expected) <= canary
  })
  return Math.max(0, reached)
}

export function requestsOf(rows: readonly MetricsRow[]): number {
  return rows.reduce((sum, { requests }) => sum + (requests ?? 0), 0)
}
