import type { Scenario } from './scenario.ts'

/** A published figure of the reference simulation: percent, or thousands of events. */
export interface Reference {
  readonly value: number
  readonly se: number
}

/**
 * `alpha`: at most 5 % + 3 s.e. · `rare`: at most 0.1 % + 3 s.e. · `reference`: at most the reference + 3 s.e. as measured there,
 * at most 1.35 × the reference + 3 s.e. with the shipped defaults · `most`: at least 95 % − 3 s.e. ·
 * `none`: shown only.
 */
export type Bar = 'alpha' | 'rare' | 'reference' | 'most' | 'none'

export type Asked =
  /** Share of releases, percent. */
  | 'rolled_back'
  | 'passed'
  /** The judge ever said that traffic is not split as planned. */
  | 'split_alarm'
  /** The evidence that traffic is not split as planned ever reached 1,000, however little it is off. */
  | 'split_evidence'
  /** Of those rolled back: the leading cohort is the one that is worse. */
  | 'named'
  /** Thousands of events until then; the horizon for releases in which it never happens. */
  | 'events_to_rollback'
  | 'events_to_pass'
  | 'events_to_split_alarm'
  | 'events_to_split_evidence'

export interface Question {
  readonly asks: Asked
  readonly bar: Bar
  readonly reference?: Reference
  /** Events before the regression starts; times count from there. */
  readonly after?: number
  /** Judged blocks a gate asks for; times count as if the first look after it were the first of all. */
  readonly gateBlocks?: number
}

/** One set-up of traffic and guardrails with what is asked about it. */
export interface SimulationCase {
  readonly name: string
  readonly family: string
  readonly what: string
  readonly scenario: Scenario
  /** Guardrails of the release file, one flow map each, without braces. */
  readonly guardrails: readonly string[]
  /** Further keys of the release file: for the test alone (null: no such column), as shipped. */
  readonly bare: string | null
  readonly shipped: string
  /** As shipped the judge is asked at every one of the first blocks, and then as often as this. */
  readonly lookEvents: number
  /** As shipped only every tenth look is taken after so many events. */
  readonly fewLooksAfter?: number
  readonly horizonEvents: number
  /** A judge is asked no more after this; `end`: it is asked up to the horizon. */
  readonly until: 'breach' | 'pass' | 'split' | 'end'
  /** Blocks with which a new step begins, besides the first. */
  readonly steps?: readonly number[]
  /** Steps of the release file; weights are percent. One of 10 % unless given. */
  readonly plan?: string
  /** Whether the judge is told who decides which version answers, and so may ask if that is so. */
  readonly split?: 'assigned'
  /** The shipped rollout sets the canary's share; what it decides arrives so many blocks late. */
  readonly rollout?: { readonly plan: string; readonly lagBlocks: number }
  /** `locale/device` of the cohort that is worse. */
  readonly worse?: string
  readonly questions: readonly Question[]
  readonly repetitions: { readonly full: number; readonly quick: number }
}

/** Keyed figures of one repetition; events of the first time something happened, null: never. */
export type Outcome = Readonly<Record<string, number | null>>
