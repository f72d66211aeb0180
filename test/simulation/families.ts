/** A table of the page, in its order, with what a reader new to this should know about it. */
export interface Family {
  readonly name: string
  readonly text: string
}

export const FAMILIES: readonly Family[] = [
  {
    name: 'Nothing is worse',
    text: 'Both versions behave alike, and any increase is forbidden (margin 0): every rollback is a false alarm. The judge is asked a thousand times, so a test that is right at one look in twenty would be wrong in most releases.',
  },
  {
    name: 'Exactly at the limit',
    text: 'The canary is as bad as the release file just allows. A rollback is false, and so is a pass: either may happen in 5 % of releases. Passing is the dangerous side, because a pass lets a version go on.',
  },
  {
    name: 'Time to pass',
    text: 'The canary is as good as the stable version, and a margin is allowed: how much traffic until that is certain. Fewer events mean a faster rollout.',
  },
  {
    name: 'Time to rollback',
    text: 'The canary is worse from the first request: how much traffic until it is rolled back. Small regressions take long for any method that does not also fire on noise; compare with the thresholds only where those are right about sound releases.',
  },
  {
    name: 'Other cohorts in the canary',
    text: 'Phones fail more often and wait longer than desktops in both versions, and the canary happens to get more phones. Whoever compares plain averages sees a regression that is none; here cohorts are compared with themselves.',
  },
  {
    name: 'Ramp while the level drifts over the day',
    text: 'The canary’s share grows 1 → 5 → 25 → 50 % while errors, latencies or quality follow the time of day for both versions. Averages over the whole release mix the hour with the version; blocks of the same ten seconds do not.',
  },
  {
    name: 'Shocks of one arm',
    text: 'A garbage collection or a noisy neighbour hits all requests of one version for ten seconds, now this one, now that one. Requests of a block are then not independent, and a variance that believes so is too small.',
  },
  {
    name: 'Many requests of one user',
    text: 'A few users send many requests and have the same luck with all of them, so there is less information than requests. The judge learns how much less from 64 buckets of users.',
  },
  {
    name: 'Labels that come late',
    text: 'Scores come some minutes after the request, bad ones later than good ones. A block is judged only after the watermark, and with the time of the request, not of the label.',
  },
  {
    name: 'A regression that starts late',
    text: 'All is well for hours, then the canary gets worse, as with a leak. Evidence of the good time weighs against the alarm; that it also starts afresh at every tenth of the longest duration keeps the delay short. Counted from the change.',
  },
  {
    name: 'Cohorts that come late or are small',
    text: 'A cohort the release has not seen before, and cohorts with one canary request in a block: whose blocks have to be joined before they can be compared.',
  },
  {
    name: 'Users or requests on the wrong side',
    text: 'The router does not send the share of traffic it should, overall or in some cohorts. That is no regression but makes comparisons doubtful: the release is held, never rolled back for it. An alarm is wanted in the lower rows, and only in one of a thousand releases in the upper ones. Evidence that cohorts are sent apart is an average over how many of them may be: all, or one in 4, 16 or 64, which finds a small one sooner than their product does. An alarm needs mixes of cohorts that differ by more than 2 % of the requests, and shares the one in a thousand with the other checks of all steps; the evidence, as the reference has it, does neither and is at 1,000.',
  },
  {
    name: '90 cohorts × 4 metrics',
    text: 'More than 360 comparisons at once, all with one error probability for the whole release. One cohort with 2 % of the traffic is worse; it should be found, and named.',
  },
  {
    name: 'Whole releases',
    text: 'The shipped rollout asks the shipped judge at every block and sets the traffic of three steps by what it says: the chance that a sound canary is rolled back, is promoted, and after how much traffic, and that one at its limits is let through.',
  },
]
