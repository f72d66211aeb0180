import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

interface Cruise {
  readonly modules: readonly unknown[]
  readonly summary: {
    readonly violations: readonly { from: string; to: string; rule: { name: string } }[]
  }
}

/** Runs the check of the import rule as `npm run check` does, in another folder. */
function cruise(folder: string): Cruise {
  const run = spawnSync(
    process.execPath,
    [
      `${ROOT}node_modules/dependency-cruiser/bin/dependency-cruise.mjs`,
      ...['src', '--config', `${ROOT}.dependency-cruiser.cjs`, '--output-type', 'json'],
    ],
    { cwd: folder, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 },
  )
  return JSON.parse(run.stdout) as Cruise
}

describe('the import rule', () => {
  it('reports every kind of import that points outward', () => {
    const { summary } = cruise(`${ROOT}test/fixtures/forbidden-imports`)
    const found = new Set(summary.violations.map(({ from, rule }) => `${from} ${rule.name}`))
    for (const expected of [
      'src/domain/clock.ts domain-imports-nothing',
      'src/domain/clock.ts pure-code-imports-no-package',
      'src/judge/verdict.ts pure-code-imports-no-package',
      'src/pipeline/ingest.ts pipeline-knows-no-adapter',
      'src/adapters/http/door.ts adapter-knows-only-itself',
      'src/adapters/http/door.ts kafkajs-only-in-its-adapter',
    ]) {
      expect(found).toContain(expected)
    }
  })

  it('looks at all of the source and finds nothing to report', () => {
    const { modules, summary } = cruise(ROOT)
    expect(modules.length).toBeGreaterThan(150)
    expect(summary.violations).toEqual([])
  })
})
