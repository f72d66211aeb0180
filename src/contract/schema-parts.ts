import { DURATION_UNITS, quantityPattern } from './release-units.ts'
import { PLAIN_NUMBER } from './source-reader.ts'

/** A JSON Schema. */
export type JsonSchema = Readonly<Record<string, unknown>>

export const pattern = (units: readonly string[]): JsonSchema => ({
  type: 'string',
  pattern: quantityPattern(units),
})
export const percent = pattern(['%'])

/** The reader judges the text of a scalar, so a number may also stand in quotes. */
export const number = (low: number, high: number): JsonSchema => ({
  anyOf: [
    { type: 'number', minimum: low, maximum: high },
    { type: 'string', pattern: PLAIN_NUMBER.source },
  ],
})
export const wholeNumber = (low: number, high: number): JsonSchema => ({
  anyOf: [
    { type: 'integer', minimum: low, maximum: high },
    { type: 'string', pattern: '^\\d{1,15}$' },
  ],
})

export function described(schema: JsonSchema, description: string, fallback?: unknown): JsonSchema {
  return { description, ...(fallback === undefined ? {} : { default: fallback }), ...schema }
}

export function duration(
  about: string,
  range: readonly [string, string],
  fallback: string,
): JsonSchema {
  const [low, high] = range
  const text = `${about}: a number with the unit ${DURATION_UNITS.join(', ')}, from ${low} to ${high}.`
  return described(pattern(DURATION_UNITS), text, fallback)
}

/** An object with these keys only; throws when they are not the ones the reader knows. */
export function closed(
  known: readonly string[],
  properties: Readonly<Record<string, JsonSchema>>,
): JsonSchema {
  const named = Object.keys(properties)
  if (known.length !== named.length || known.some((key) => !Object.hasOwn(properties, key))) {
    throw new Error(`schema and reader differ: ${named.join(', ')} against ${known.join(', ')}`)
  }
  return { type: 'object', additionalProperties: false, properties }
}
