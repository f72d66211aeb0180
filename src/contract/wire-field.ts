import { z } from 'zod'
import { isStorableTime, parseRfc3339 } from './rfc3339.ts'
import { ENVIRONMENT, hasLength, isStorable, MODEL_NAME, ROUTE } from './stored-text.ts'

/** What a field may hold, in words; shown to the person whose value was something else. */
export const allowedValues = z.registry<{ allowed: string }>()

/** Documents a field for JSON Schema and for rejections: what it is, and which values are allowed. */
export function documented<T extends z.ZodType>(
  schema: T,
  about: string,
  allowed: string,
  facts: Record<string, unknown> = {},
): T {
  const described = schema.meta({ ...facts, description: `${about}: ${allowed}.` })
  allowedValues.add(described, { allowed })
  return described
}

/** Text that comes back from the store as it was; lengths are code points. */
export function storedText(atLeast: number, atMost: number) {
  return z
    .string()
    .min(atLeast)
    .max(atMost)
    .refine(isStorable, { error: 'NUL and lone surrogates cannot be stored' })
}

/** `storedText`, without zod. */
export function isStoredText(value: unknown, atLeast: number, atMost: number): value is string {
  return typeof value === 'string' && hasLength(value, atLeast, atMost) && isStorable(value)
}

/** `1–128 characters` for documentation. */
export function characters(atLeast: number, atMost: number): string {
  return atLeast === 0 ? `at most ${atMost} characters` : `${atLeast} to ${atMost} characters`
}

export const TIME_WORDS =
  'an RFC 3339 time with offset, such as 2026-11-23T10:00:00.123Z, from 1970 to 2105'

export function requiredTime() {
  return z
    .string()
    .refine((text) => parseRfc3339(text) !== null, { abort: true, params: { code: 'format' } })
    .refine((text) => isStorableTime(parseRfc3339(text) ?? Number.NaN), {
      params: { code: 'range' },
    })
}

export const ROUTE_WORDS = '<model name>/<environment>, such as intent-classifier/production'

export function routeText() {
  return z.string().regex(ROUTE)
}

/** Model name and environment of a route; the environment is what follows the last slash. */
export function splitRoute(route: string): { modelName: string; environment: string } | null {
  const slash = route.lastIndexOf('/')
  const modelName = route.slice(0, Math.max(slash, 0))
  const environment = route.slice(slash + 1)
  return MODEL_NAME.test(modelName) && ENVIRONMENT.test(environment)
    ? { modelName, environment }
    : null
}
