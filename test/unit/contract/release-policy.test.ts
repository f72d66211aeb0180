import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { createPolicyFiles } from '../../../src/adapters/ops/policy-files.ts'
import { parseReleaseFile } from '../../../src/contract/release-file.ts'

const dir = mkdtempSync(join(tmpdir(), 'haldane-policy-'))
writeFileSync(join(dir, 'payments.yaml'), 'heartbeat: 7s\nwarmup: 9s\n')
writeFileSync(join(dir, 'search.yaml'), 'heartbeat: 11s\n')
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const RELEASE = `route: m/production
stable: 1.0.0
canary: 1.1.0
warmup: 3s
plan: [{ weight: 5, min_duration: 1m }]
guardrails: [{ metric: error_rate, max: 1% }]
`

function parse(extra: string, policyFile: string | null) {
  const policies = createPolicyFiles(policyFile)
  return parseReleaseFile(RELEASE + extra, {
    fileName: 'release.yaml',
    readPolicy: (path) => policies.read(path),
    defaultPolicy: policies.defaultPath,
  })
}

describe('policies of a worker', () => {
  it('hold for release files that name none; the release file wins key by key', () => {
    const parsed = parse('', join(dir, 'payments.yaml'))
    expect(parsed).toMatchObject({
      spec: { heartbeatMs: 7000, warmupMs: 3000, policy: { name: 'payments' } },
    })
  })

  it('can be named by a release file when they lie beside the default one', () => {
    const parsed = parse('extends: search.yaml\n', join(dir, 'payments.yaml'))
    expect(parsed).toMatchObject({ spec: { heartbeatMs: 11_000, policy: { name: 'search' } } })
  })

  it('are the only files of the machine that a release file can name', () => {
    for (const path of ['/etc/hostname', '../other.yaml', 'sub/other.yaml']) {
      expect(parse(`extends: ${path}\n`, join(dir, 'payments.yaml'))).toMatchObject({
        problems: [{ field: 'extends', message: expect.stringContaining('without a path') }],
      })
    }
    expect(parse('extends: payments.yaml\n', null)).toMatchObject({
      problems: [{ field: 'extends', message: expect.stringContaining('HALDANE_POLICY') }],
    })
  })
})
