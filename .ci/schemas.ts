// Writes the published schemas and documents into schemas/, and the generated tables into docs/; tests
// fail when they are stale.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbeddedEngine } from '../src/adapters/clickhouse/embedded-engine.ts'
import { createStore } from '../src/adapters/clickhouse/store.ts'
import { openApiDocument } from '../src/adapters/http/openapi.ts'
import { systemClock } from '../src/adapters/ops/clock.ts'
import { silentLog } from '../src/adapters/ops/logger.ts'
import { asyncApiDocument } from '../src/contract/asyncapi.ts'
import { publishedSchemas } from '../src/contract/json-schema.ts'
import { contractPages, readDatabaseTables, SQL_PAGE } from './docs-pages.ts'
import { contractTables, withTables } from './docs-tables.ts'

const directory = new URL('../schemas/', import.meta.url)
mkdirSync(directory, { recursive: true })
const documents = new Map([
  ...publishedSchemas(),
  ['openapi.json', openApiDocument()],
  ['asyncapi.json', asyncApiDocument()],
])
for (const [name, document] of documents) {
  writeFileSync(new URL(name, directory), `${JSON.stringify(document, null, 2)}\n`)
  console.error(`schemas/${name}`)
}

function rewrite(page: URL, tables: ReadonlyMap<string, string>): void {
  writeFileSync(page, withTables(readFileSync(page, 'utf8'), tables))
  console.error(page.pathname.replace(/^.*\/docs\//, 'docs/'))
}

for (const page of contractPages()) rewrite(page, contractTables())

const dataDir = mkdtempSync(join(tmpdir(), 'haldane-schemas-'))
const engine = await openEmbeddedEngine(dataDir)
const store = createStore(engine, { clock: systemClock, log: silentLog })
try {
  await store.migrate()
  rewrite(SQL_PAGE, await readDatabaseTables(engine))
} finally {
  await store.close()
  rmSync(dataDir, { recursive: true, force: true })
}
