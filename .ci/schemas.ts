// Writes the published JSON Schemas into schemas/; a test fails when they are stale.
import { mkdirSync, writeFileSync } from 'node:fs'
import { publishedSchemas } from '../src/contract/json-schema.ts'

const directory = new URL('../schemas/', import.meta.url)
mkdirSync(directory, { recursive: true })
for (const [name, schema] of publishedSchemas()) {
  writeFileSync(new URL(name, directory), `${JSON.stringify(schema, null, 2)}\n`)
  console.error(`schemas/${name}`)
}
