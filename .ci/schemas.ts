// Writes the published schemas and documents into schemas/; a test fails when they are stale.
import { mkdirSync, writeFileSync } from 'node:fs'
import { openApiDocument } from '../src/adapters/http/openapi.ts'
import { asyncApiDocument } from '../src/contract/asyncapi.ts'
import { publishedSchemas } from '../src/contract/json-schema.ts'

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
