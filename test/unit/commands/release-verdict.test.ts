import picocolors from 'picocolors'
import { describe, expect, it } from 'vitest'
import { encodeReleaseView } from '../../../src/adapters/http/release-view.ts'
import { showVerdict } from '../../../src/commands/release.ts'
import type { ReleaseView } from '../../../src/contract/worker-api.ts'
import { decisionOf, RELEASE_ID, viewOf } from '../adapters/http/fake-worker.ts'

/** Exit code and what was printed for a worker that has one release. */
async function verdictOf(view: ReleaseView, json: boolean) {
  const lines: string[] = []
  const terminal = {
    out: (text: string) => void lines.push(text),
    note: () => undefined,
    interactive: false,
    color: picocolors.createColors(false),
    columns: 120,
    rows: 40,
  }
  const client = {
    releases: async () => [],
    release: async (id: string) => (id === RELEASE_ID ? encodeReleaseView(view) : null),
  }
  const exitCode = await showVerdict(RELEASE_ID, { json }, client, terminal)
  return { exitCode, lines, missing: () => showVerdict('m/e/9.9.9', { json }, client, terminal) }
}

describe('the verdict on a release', () => {
  it.each([
    ['increase', 0],
    ['hold', 10],
    ['rollback', 20],
  ] as const)('%s ends with exit code %d', async (action, code) => {
    const view = { ...viewOf(4), decision: { ...decisionOf(4), action } }
    const { exitCode, lines } = await verdictOf(view, false)
    expect(exitCode).toBe(code)
    expect(lines[0]).toContain(`${action}: ${RELEASE_ID} is ramping (#4 at `)
    expect(lines.length).toBe(1 + view.decision.reasons.length)
  })

  it('is the object that gates read, with --json', async () => {
    const { exitCode, lines } = await verdictOf(viewOf(4), true)
    const verdict = JSON.parse(lines.join('')) as Record<string, unknown>
    expect(lines).toHaveLength(1)
    expect(exitCode).toBe(verdict['ok'] === true ? 0 : verdict['inconclusive'] === true ? 10 : 20)
    expect(Object.keys(verdict)).toEqual([
      ...['ok', 'inconclusive', 'action', 'phase', 'release_id', 'generation', 'decided_at'],
      'reasons',
    ])
  })

  it('without a decision is to wait', async () => {
    const { exitCode, lines } = await verdictOf(viewOf(null), false)
    expect([exitCode, lines]).toEqual([10, [`hold: ${RELEASE_ID} is pending (no decision yet)`]])
  })

  it('on a release that is not there fails', async () => {
    const { missing } = await verdictOf(viewOf(4), false)
    await expect(missing()).rejects.toMatchObject({ code: 'not_found' })
  })
})
