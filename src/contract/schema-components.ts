import { z } from 'zod'
import { rulesOf } from './json-schema.ts'
import type { JsonSchema } from './schema-parts.ts'

/** Address of a component inside the document that holds it. */
export function componentRef(name: string): { readonly $ref: string } {
  return { $ref: `#/components/schemas/${name}` }
}

/**
 * The schemas of a document, by component name: where one holds another it refers to it by its address
 * in the document. OpenAPI 3.1 takes draft 2020-12, the schema objects of AsyncAPI are draft-07.
 */
export function componentSchemas(
  schemas: Readonly<Record<string, z.ZodType>>,
  target: 'draft-2020-12' | 'draft-7',
): Record<string, JsonSchema> {
  const registry = z.registry<{ id: string }>()
  for (const [id, schema] of Object.entries(schemas)) registry.add(schema, { id })
  const converted = z.toJSONSchema(registry, {
    uri: (id) => componentRef(id).$ref,
    io: 'input',
    target,
  })
  return Object.fromEntries(
    Object.entries(schemas).map(([id, schema]) => {
      const { $schema: _dialect, $id: _address, ...body } = converted.schemas[id] ?? {}
      return [id, { ...body, ...rulesOf(schema) }]
    }),
  )
}
