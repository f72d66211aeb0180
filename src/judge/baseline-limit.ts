import type { BaselineCounts } from './baseline.ts'
import type { ProportionLimit } from './proportion.ts'
import { proportionInterval, proportionLimit } from './proportion.ts'

/** Error probability of the confidence sequence of the baseline's rate. */
const ALPHA = 0.01
/** The sequence is computed again when the baseline has grown by this much. */
const GROWTH = 1.05

/** Limits on the canary's error rate made from what is known of the baseline's. */
export interface BaselineLimits {
  /** Upper end of the baseline's interval plus margin: more than this is a breach. */
  readonly breach: ProportionLimit
  /** Lower end plus margin: less than this is a pass. */
  readonly pass: ProportionLimit
}

/**
 * Limits for a baseline with almost no errors, where comparing counts block by block has nothing to
 * condition on. Both ends of the baseline's 99 % confidence sequence are used on the side that makes
 * the test slower. The sequence holds at every moment, so one computed a little earlier is as valid,
 * and being made from closed blocks only it is predictable.
 */
export function createBaselineLimits(
  withMargin: (rate: number) => number,
): (counts: BaselineCounts) => BaselineLimits {
  let computedFor = -1
  let limits: BaselineLimits | null = null
  return ({ requests, errors }) => {
    if (limits === null || requests >= GROWTH * computedFor) {
      const { lower, upper } = proportionInterval(requests, errors, ALPHA)
      limits = {
        breach: proportionLimit(withMargin(upper)),
        pass: proportionLimit(withMargin(lower)),
      }
      computedFor = requests
    }
    return limits
  }
}
