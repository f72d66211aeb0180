import { createHash } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { asyncApiDocument } from '../../contract/asyncapi.ts'
import type { JsonSchema } from '../../contract/schema-parts.ts'
import { addEndpoint } from './endpoint.ts'
import { openApiDocument } from './openapi.ts'

const DOCUMENTS: Readonly<Record<string, () => JsonSchema>> = {
  '/openapi.json': openApiDocument,
  '/asyncapi.json': asyncApiDocument,
}

/** Addresses of the documents; they say nothing of the worker, so they are open. */
export const DOCUMENT_URLS = Object.keys(DOCUMENTS)

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null
  return () => {
    made ??= { value: make() }
    return made.value
  }
}

function encode(document: JsonSchema): { readonly bytes: Buffer; readonly etag: string } {
  const bytes = Buffer.from(JSON.stringify(document))
  return { bytes, etag: `"${createHash('sha256').update(bytes).digest('base64url')}"` }
}

/** `/openapi.json` and `/asyncapi.json`: the contracts of this very worker, made when first asked for. */
export function addDocumentRoutes(app: FastifyInstance): void {
  for (const [url, make] of Object.entries(DOCUMENTS)) {
    const document = once(() => encode(make()))
    addEndpoint(app, url, {
      GET: {
        handle: async (request, reply) => {
          const { bytes, etag } = document()
          reply.header('etag', etag).header('cache-control', 'no-cache')
          const known = (request.headers['if-none-match'] ?? '').split(',')
          if (known.some((tag) => tag.trim().replace(/^W\//, '') === etag)) {
            return reply.code(304).send()
          }
          return reply.type('application/json; charset=utf-8').send(bytes)
        },
      },
    })
  }
}
