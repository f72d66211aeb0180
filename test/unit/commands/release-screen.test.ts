import picocolors from 'picocolors'
import { expect, it } from 'vitest'
import { encodeReleaseView } from '../../../src/adapters/http/release-view.ts'
import { renderEvidence, renderRelease } from '../../../src/commands/release-screen.ts'
import { evidenceToWire } from '../../../src/contract/evidence.ts'
import { buildAssessment, buildRow } from '../../support/builders.ts'
import { viewOf } from '../adapters/http/fake-worker.ts'

it('says of a breached comparison why it does not roll back', () => {
  const rows = [
    buildRow(),
    buildRow({ severity: 'signal' }),
    buildRow({ dryRun: true }),
    buildRow({ severity: 'signal', dryRun: true }),
  ].map((row) => evidenceToWire({ ...row, verdict: 'breached' }))
  const lines = renderEvidence(rows, picocolors.createColors(false)).slice(1)
  expect(lines.map((line) => /^(.*?) {2,}max/.exec(line)?.[1])).toEqual([
    'error_rate',
    'error_rate (signal)',
    'error_rate (dry run)',
    'error_rate (dry run)',
  ])
  expect(lines.every((line) => line.includes('BREACHED'))).toBe(true)
})

it('says that requests are taken as independent where none names a session', () => {
  const shown = (sessions_seen: boolean | null, canary_requests: number) => {
    const { release, decision, windowEndMs, acks } = viewOf(3)
    const assessment = buildAssessment({ canaryRequests: canary_requests })
    const view = encodeReleaseView({ release, decision, assessment, windowEndMs, acks })
    return renderRelease({ ...view, sessions_seen }, picocolors.createColors(false)).join('\n')
  }
  expect(shown(false, 900)).toContain('design effect 1')
  expect(shown(true, 900)).not.toContain('design effect')
  expect(shown(null, 900)).not.toContain('design effect')
  expect(shown(false, 0)).not.toContain('design effect')
})
