import picocolors from 'picocolors'
import { expect, it } from 'vitest'
import { renderEvidence } from '../../../src/commands/release-screen.ts'
import { evidenceToWire } from '../../../src/contract/evidence.ts'
import { buildRow } from '../../support/builders.ts'

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
