import { describe, expect, it } from 'vitest'
import type { ClosedBlock, HistoryCell } from '../../../src/domain/block.ts'
import {
  ALL_KINDS,
  block,
  blocks,
  type Cell,
  codesOf,
  HISTORY,
  historyOf,
  judged,
  type Kind,
  type Look,
  onlyErrors,
  releaseOf,
  sound,
} from './bad-input-release.ts'

const RELATIVE_MEANS: readonly Kind[] = ['quality drop', 'kpi drop', 'kpi increase']
const LATENCIES: readonly Kind[] = ['p95 max', 'p95 increase']
const SILENT = ['no_traffic', 'coverage_missing', 'collecting']

const stable = (requests: number): Cell => ({ requests, errors: Math.floor(requests / 200) })
/** Everything is well in de-DE/mobile; what is wrong is wrong in the key cohort, en-US/mobile. */
const german = { stable: stable(900), canary: { requests: 100 } }
const bothArms = (cell: Partial<Cell>, times = 1) => ({
  stable: { requests: 1800 * times, ...cell },
  canary: { requests: 200 * times, ...cell },
})
interface Case {
  readonly what: string
  readonly kinds?: readonly Kind[]
  readonly blocks: readonly ClosedBlock[]
  readonly history?: readonly HistoryCell[]
  /** Codes of the last decision. */
  readonly codes: readonly string[]
}

const CASES: readonly Case[] = [
  {
    what: 'no event at all',
    blocks: blocks(40, (k) => block(k, {})),
    codes: SILENT,
  },
  {
    what: 'no event of the canary',
    blocks: blocks(40, (k) => block(k, { stable: stable(1800) }, { stable: stable(900) })),
    codes: SILENT,
  },
  {
    what: 'no event of the stable version since the start',
    blocks: blocks(60, (k) => block(k, { canary: stable(200) }, { canary: stable(100) })),
    codes: ['collecting'],
  },
  {
    what: 'no event of the stable version, ever',
    blocks: blocks(60, (k) => block(k, { canary: stable(200) }, { canary: stable(100) })),
    history: [],
    codes: ['collecting'],
  },
  {
    what: 'no event of the canary in a key cohort',
    blocks: blocks(60, (k) => block(k, { stable: stable(1800) }, german)),
    codes: ['cohort_parity_broken', 'coverage_missing', 'collecting'],
  },
  {
    what: 'no event of the stable version in a key cohort',
    blocks: blocks(60, (k) => block(k, { canary: { requests: 200, errors: k % 2 } }, german)),
    codes: ['cohort_parity_broken', 'collecting'],
  },
  {
    what: 'one block only',
    blocks: [block(0, bothArms({}, 10), bothArms({}, 5))],
    codes: ['collecting'],
  },
  {
    what: 'one block only, and a terrible one',
    blocks: [
      block(0, {
        stable: stable(1800),
        canary: { requests: 200, errors: 100, latencyMs: 1e6, score: 0, sales: -10 },
      }),
    ],
    codes: ['coverage_missing', 'collecting'],
  },
  {
    what: 'one block of 10 million events',
    blocks: [
      block(
        0,
        { stable: stable(6.3e6), canary: stable(7e5) },
        { stable: stable(2.7e6), canary: stable(3e5) },
      ),
    ],
    codes: ['collecting'],
  },
  {
    what: 'a second block without the canary',
    blocks: [sound(0), block(1, { stable: stable(1800) }, { stable: stable(900) })],
    codes: ['collecting'],
  },
  {
    what: 'the same score in every event',
    kinds: RELATIVE_MEANS,
    blocks: blocks(60, (k) => sound(k, { score: 1, sales: 90 })),
    history: historyOf({ score: 1, sales: 90 }),
    codes: ['collecting'],
  },
  {
    what: 'the score 0 in every event',
    kinds: RELATIVE_MEANS,
    blocks: blocks(60, (k) => sound(k, { score: 0, sales: 0 })),
    codes: ['collecting'],
  },
  {
    what: 'no error in either version, against a ratio',
    kinds: ['error ratio'],
    blocks: blocks(60, (k) => sound(k, { errors: 0 })),
    history: historyOf({}),
    codes: ['collecting'],
  },
  {
    what: 'nothing but errors in both versions',
    kinds: ['p95 max', 'p95 increase', 'error ratio'],
    blocks: blocks(60, onlyErrors),
    codes: ['collecting'],
  },
  {
    what: 'latencies of 0 ms',
    kinds: ['p95 increase'],
    blocks: blocks(60, (k) => sound(k, { latencyMs: 0 })),
    history: historyOf({ latencyMs: 0 }),
    codes: ['collecting'],
  },
  {
    what: 'latencies of 1,000,000 ms',
    kinds: ['p95 increase'],
    blocks: blocks(60, (k) => sound(k, { latencyMs: 1e6 })),
    history: historyOf({ latencyMs: 1e6 }),
    codes: ['collecting'],
  },
  {
    what: 'no latency in any event of the canary',
    kinds: LATENCIES,
    blocks: blocks(60, (k) =>
      block(k, { stable: stable(1800), canary: { requests: 200, errors: 200 } }, german),
    ),
    codes: ['collecting'],
  },
  {
    what: 'a key cohort that vanishes after its first block',
    blocks: blocks(60, (k) => (k === 0 ? sound(0) : block(k, { stable: stable(1800) }, german))),
    codes: ['cohort_parity_broken', 'collecting'],
  },
  {
    what: 'a canary that stops after its first block',
    blocks: blocks(60, (k) =>
      k === 0 ? sound(0) : block(k, { stable: stable(1800) }, { stable: stable(900) }),
    ),
    codes: ['stale_data', 'collecting'],
  },
]

const ROWS = CASES.flatMap((given) =>
  (given.kinds ?? ALL_KINDS).map((kind) => ({ ...given, kind })),
)

describe('bad input', () => {
  it.each(ALL_KINDS)('is what holds: sound traffic passes $0 twice', (kind) => {
    // 400 blocks: a ratio of 1.2 is told from one of 1 slowly.
    const looks = judged(
      releaseOf(kind),
      blocks(400, (k) => sound(k)),
    )
    expect(looks.at(-1)?.decision.phase).toBe('promoted')
  })

  it.each(ROWS)('$what holds ($kind)', ({ kind, blocks: given, history, codes }) => {
    const looks = judged(releaseOf(kind), given, history ?? HISTORY)
    expect(looks).toHaveLength(given.length)
    for (const { decision, assessment } of looks) {
      expect(decision.action).toBe('hold')
      expect(assessment).toMatchObject({ passed: false, rollback: false })
    }
    // Other comparisons may be undecided beside that.
    const last = codesOf(looks.at(-1) as Look).filter((code) => code !== 'undecided')
    expect(last).toEqual(codes)
  })
})

describe('a canary that stops', () => {
  it.each(ALL_KINDS)(
    'is stale a watermark delay and three blocks later, not before (%s)',
    (kind) => {
      const looks = judged(
        releaseOf(kind),
        blocks(10, (k) => (k === 0 ? sound(0) : block(k, { stable: stable(1800) }))),
      )
      const stale = looks.map((look) => codesOf(look).includes('stale_data'))
      expect(stale).toEqual([...Array<boolean>(7).fill(false), true, true, true])
    },
  )
})

describe('a key cohort that appears late', () => {
  it.each(ALL_KINDS)('is waited for, and then judged by what came of it (%s)', (kind) => {
    const from = 12
    const looks = judged(
      releaseOf(kind),
      blocks(300, (k) => (k < from ? block(k, { stable: stable(1800) }, german) : sound(k))),
    )
    for (const look of looks.slice(0, from)) {
      expect(look.decision.action).toBe('hold')
      expect(codesOf(look)).toContain('coverage_missing')
      const missing = look.decision.reasons.find(({ code }) => code === 'coverage_missing')
      expect(missing?.message).toContain('en-US/mobile')
    }
    const passed = looks.findIndex(({ decision }) => decision.action !== 'hold')
    expect(looks[passed]?.decision.action).toBe('increase')
    expect(passed).toBeGreaterThan(from)
    for (const look of looks.slice(from, passed)) {
      // Until the time without it no longer shows in the mix of the whole step.
      const waiting = ['cohort_parity_broken', 'collecting', 'undecided']
      expect(codesOf(look).filter((code) => !waiting.includes(code))).toEqual([])
    }
  })

  it('and in no history stops nobody when it is no key cohort', () => {
    for (const kind of ALL_KINDS) {
      const looks = judged(
        releaseOf(kind, 'key: []'),
        blocks(400, (k) => (k < 20 ? block(k, {}, german) : sound(k))),
        historyOf({}).slice(1),
      )
      expect(looks.map(({ decision }) => decision.action)).not.toContain('rollback')
      expect(looks.map(({ decision }) => decision.action)).toContain('increase')
    }
  })
})
