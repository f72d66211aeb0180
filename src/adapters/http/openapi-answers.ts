import { componentRef } from '../../contract/schema-components.ts'
import type { JsonSchema } from '../../contract/schema-parts.ts'
import { PROBLEM_KINDS, type ProblemCode, problemType, RETRY_AFTER_SECONDS } from './problem.ts'

/** One method of one address, as OpenAPI describes it. */
export type Documented = JsonSchema

/** What any guarded operation may fail with. */
export const GUARDED = [401, 403, 500, 503] as const

const PROBLEM_TYPE = 'application/problem+json'

const HEADERS: Readonly<Record<number, JsonSchema>> = {
  401: header('WWW-Authenticate', 'Bearer; names the realm, and the error of a wrong token.'),
  415: header('Accept', 'Media types that are read here.'),
}

function header(name: string, description: string): JsonSchema {
  return { [name]: { description, schema: { type: 'string' } } }
}

function retryAfter(status: number): JsonSchema {
  const seconds = RETRY_AFTER_SECONDS[status]
  if (seconds === undefined) return {}
  return header('Retry-After', `Seconds to wait before asking again, ${seconds} at present.`)
}

const codes = Object.keys(PROBLEM_KINDS) as ProblemCode[]
const statuses = [...new Set(codes.map((code) => PROBLEM_KINDS[code].status))].sort((a, b) => a - b)

/** Every way to fail, by status: `Problem404`. */
export function problemAnswers(): Record<string, JsonSchema> {
  return Object.fromEntries(
    statuses.map((status) => {
      const kinds = codes.filter((code) => PROBLEM_KINDS[code].status === status)
      const described = kinds.map((code) => `${problemType(code)}: ${PROBLEM_KINDS[code].title}.`)
      const headers = { ...HEADERS[status], ...retryAfter(status) }
      return [
        `Problem${status}`,
        {
          description: described.join(' '),
          ...(Object.keys(headers).length === 0 ? {} : { headers }),
          content: { [PROBLEM_TYPE]: { schema: componentRef('Problem') } },
        },
      ]
    }),
  )
}

/** References to `problemAnswers`, for the statuses an operation may fail with. */
export function failures(...failing: readonly number[]): Record<string, JsonSchema> {
  return Object.fromEntries(
    failing.map((status) => [String(status), { $ref: `#/components/responses/Problem${status}` }]),
  )
}

/** A success with a JSON body. */
export function answer(description: string, schema: JsonSchema, examples?: JsonSchema): JsonSchema {
  const media = { schema, ...(examples === undefined ? {} : { examples }) }
  return { description, content: { 'application/json': media } }
}

export function textAnswer(description: string, mediaType: string, example: string): JsonSchema {
  return { description, content: { [mediaType]: { schema: { type: 'string' }, example } } }
}

export function query(name: string, description: string, schema: JsonSchema): JsonSchema {
  return { name, in: 'query', description, schema: { type: 'string', ...schema } }
}
