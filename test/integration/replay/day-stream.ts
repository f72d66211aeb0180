import {
  CANARY_VERSION,
  mulberry32,
  releaseFile,
  STABLE_VERSION,
} from '../../support/event-generator.ts'

/** The release starts in the evening, one hour of its baseline is history. */
export const DAY_START_MS = Date.parse('2026-11-23T18:00:00Z')
const HISTORY_MINUTES = 60
const RECORDED_AFTER_MS = 500
const DAY_MINUTES = 24 * 60
/** The cohort that is there from 09:00 on, and in nothing before. */
export const LATE_COHORT = { locale: 'pt-BR', device: 'mobile' } as const

/** Minutes after the start of `hh:mm` in the 24 hours from 18:00. */
function minuteOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number)
  return (hours * 60 + minutes - 18 * 60 + DAY_MINUTES) % DAY_MINUTES
}

export function timeAt(time: string): number {
  return DAY_START_MS + minuteOf(time) * 60_000
}

/** Nothing at all from 01:00 to 06:00. */
function isNight(minute: number): boolean {
  return minute >= minuteOf('01:00') && minute < minuteOf('06:00')
}

/** 1 at two in the afternoon, 0 at two at night. */
function bustle(minute: number): number {
  return 0.5 + 0.5 * Math.cos((2 * Math.PI * (minute - minuteOf('14:00'))) / DAY_MINUTES)
}

const COHORTS = [
  { locale: 'en-US', device: 'mobile', share: 0.45 },
  { locale: 'en-US', device: 'desktop', share: 0.3 },
  { locale: 'de-DE', device: 'mobile', share: 0.25 },
] as const
const LATE_SHARE = 0.25

/**
 * Requests of 24 hours, one to four a second; the busier it is, the slower and the more faulty both
 * versions are. The canary gets what a router gave it that day: 10 %, from 20:10 on 25 %, from 06:05
 * on 50 %. `worseLate`: the canary fails more often, for the cohort that comes at 09:00 alone.
 */
export function dayOfEvents(seed: number, { worseLate = false } = {}): string[] {
  const random = mulberry32(seed)
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  const lines: string[] = []
  for (let minute = -HISTORY_MINUTES; minute < DAY_MINUTES; minute++) {
    if (isNight(minute)) continue
    const level = bustle(minute)
    const requests = Math.round((1 + 3 * level) * 60 * (0.9 + 0.2 * random()))
    const canaryShare =
      minute < 0 ? 0 : minute < minuteOf('20:10') ? 0.1 : minute < minuteOf('06:05') ? 0.25 : 0.5
    for (let i = 0; i < requests; i++) {
      const canary = random() < canaryShare
      const isLate = minute >= minuteOf('09:00') && random() < LATE_SHARE
      const cohort = isLate ? LATE_COHORT : cohortAt(random())
      const worse = worseLate && isLate && canary
      const errorRate = worse ? 0.06 : 0.004 + 0.008 * level
      const failed = random() < errorRate
      const latencyMs = (30 + 20 * level) * Math.exp(0.6 * normal())
      const score = Math.min(1, Math.max(0, 0.86 - 0.05 * level + 0.1 * normal()))
      const atMs = DAY_START_MS + minute * 60_000 + Math.floor((i * 60_000) / requests)
      lines.push(
        JSON.stringify({
          request_id: `d${seed}-${lines.length}`,
          occurred_at: new Date(atMs).toISOString(),
          // After the night only this tells an event of the morning from one with a wrong clock.
          recorded_at: new Date(atMs + RECORDED_AFTER_MS).toISOString(),
          model_name: 'intent-classifier',
          environment: 'production',
          model_version: canary ? CANARY_VERSION : STABLE_VERSION,
          outcome: failed ? 'error' : 'ok',
          ...(failed ? {} : { latency_ms: Number(latencyMs.toFixed(3)) }),
          locale: cohort.locale,
          device: cohort.device,
          quality_score: Number(score.toFixed(4)),
        }),
      )
    }
  }
  return lines
}

function cohortAt(uniform: number): (typeof COHORTS)[number] {
  let rest = uniform
  for (const cohort of COHORTS) {
    rest -= cohort.share
    if (rest < 0) return cohort
  }
  return COHORTS[0]
}

/** Three steps: the second may end in the night, the third not before the late afternoon. */
export function dayRelease(keys = ''): string {
  return releaseFile({
    plan: `  - { weight: 10, min_duration: 2h }
  - { weight: 25, min_duration: 7h }
  - { weight: 50, min_duration: 11h }`,
    guardrails: `  - { metric: latency_p95, max: 250ms }
  - { metric: latency_p95, max_increase: 20% }
  - { metric: error_rate, max: 3% }
  - { metric: error_rate, max_increase: 1pp }
  - { metric: quality, max_drop: 0.02 }`,
  })
    .replace('by: [locale, device]', `by: [locale, device]${keys}`)
    .replace('length: 5s, watermark: 10s', 'length: 1m, watermark: 2m')
    .replace('warmup: 0s', 'warmup: 1m\nheartbeat: 10m')
}
