import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createClient } from '@clickhouse/client'
import { createChdbConnection } from 'chdb/connection'
import { afterAll, describe, expect, it } from 'vitest'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')

const INIT = 'deploy/clickhouse/init'
const scripts = readdirSync(join(ROOT, INIT)).sort()
const manual = [...read('docs/operate.md').matchAll(/^```sql\n([\s\S]*?)^```$/gm)]

const sources: [string, string][] = [
  ...scripts
    .filter((name) => name.endsWith('.sql'))
    .map((name): [string, string] => [name, read(join(INIT, name))]),
  ...scripts
    .filter((name) => name.endsWith('.sh'))
    .map((name): [string, string] => [
      name,
      [...read(join(INIT, name)).matchAll(/--query "([^"]+)"/g)].map((found) => found[1]).join(';'),
    ]),
  ...manual.map((found, index): [string, string] => [`manual, block ${index}`, found[1] ?? '']),
]

const dir = mkdtempSync(join(tmpdir(), 'haldane-deploy-'))
const client = createClient({ connection: createChdbConnection({ path: dir }) as never })
afterAll(async () => {
  await client.close()
  rmSync(dir, { recursive: true, force: true })
})

/** Without comments; no statement of these files holds a semicolon in a text. */
function statementsOf(text: string): string[] {
  return text
    .replaceAll(/^--.*$/gm, '')
    .split(';')
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '')
}

// The embedded engine knows the grammar of the server, but lets nobody create roles.
describe('SQL for operators', () => {
  it.each(sources)('of %s is grammatical', async (_, text) => {
    const statements = statementsOf(text)
    expect(statements.length).toBeGreaterThan(0)
    for (const statement of statements) {
      await client.command({ query: `EXPLAIN AST ${statement}` })
    }
  })

  it('is checked by a parser that refuses what is wrong', async () => {
    await expect(
      client.command({ query: 'EXPLAIN AST GRANT READING ON haldane.* TO x' }),
    ).rejects.toThrow()
  })
})
