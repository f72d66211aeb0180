import type { z } from 'zod'
import type { Rejection, RejectionCode } from '../domain/request-event.ts'
import { isObject } from './stored-text.ts'
import { allowedValues } from './wire-field.ts'

const MAX_SHOWN = 40
// One bad value can hold thousands of bad names; the first reasons tell what is wrong.
const MAX_REJECTIONS = 20
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu

/** What a person needs to see of a value: shortened, on one line, without control characters. */
export function describeValue(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object' && value !== null) return 'an object'
  if (typeof value !== 'string') return String(value)
  return `the text "${printable(value)}"`
}

/** Text for a message: at most 40 characters, unprintable ones as `\u{…}`. */
export function printable(text: string): string {
  const points = Array.from(text.slice(0, 2 * MAX_SHOWN))
  const cut = points.length > MAX_SHOWN || text.length > 2 * MAX_SHOWN
  const shown = points.slice(0, MAX_SHOWN).join('')
  const escaped = shown.replace(
    UNPRINTABLE,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  )
  return cut ? `${escaped}…` : escaped
}

/** The reasons zod gives, one per field and code, in the order of the schema's fields. */
export function rejectionsOf(schema: z.ZodObject, error: z.ZodError, raw: unknown): Rejection[] {
  const rejections = new Map<string, Rejection>()
  for (const issue of error.issues) {
    const [field, ...rest] = issue.path
    const value = rest.reduce<unknown>(memberOf, memberOf(raw, field))
    const code = codeOf(issue, value)
    const name = issue.path.map((part) => printable(String(part))).join('.')
    const allowed = allowedOf(schema, field)
    const message = sentence(issue, code, value, allowed)
    const key = `${name}|${code}`
    if (!rejections.has(key)) rejections.set(key, { field: name, code, message })
    if (rejections.size === MAX_REJECTIONS) break
  }
  return [...rejections.values()]
}

/** Says of a missing or wrong field what the schema allows, without zod having looked at it. */
export function allowedOf(schema: z.ZodObject, field: PropertyKey | undefined): string {
  const part = typeof field === 'string' ? schema.shape[field] : undefined
  const known = part === undefined ? undefined : allowedValues.get(part)
  return known?.allowed ?? 'an object with the documented fields'
}

function sentence(
  issue: z.core.$ZodIssue,
  code: RejectionCode,
  value: unknown,
  allowed: string,
): string {
  if (code === 'missing') return `is missing; allowed is ${allowed}`
  if (issue.code === 'invalid_key') return `the name is not allowed; allowed is ${allowed}`
  if (typeof value === 'string' && issue.code === 'too_big') {
    return `has ${Array.from(value).length} characters; allowed is ${allowed}`
  }
  if (isObject(value) && code === 'range') {
    return `has ${Object.keys(value).length} names; allowed is ${allowed}`
  }
  const why = issue.code === 'custom' && issue.params === undefined ? ` (${issue.message})` : ''
  return `is ${describeValue(value)}${why}; allowed is ${allowed}`
}

function codeOf(issue: z.core.$ZodIssue, value: unknown): RejectionCode {
  switch (issue.code) {
    case 'invalid_type':
      if (value === undefined || (value === null && issue.path.length === 1)) return 'missing'
      return typeof value === 'number' && !Number.isFinite(value) ? 'range' : 'type'
    case 'too_big':
    case 'too_small':
      return 'range'
    case 'custom':
      return (issue.params?.['code'] as RejectionCode | undefined) ?? 'format'
    default:
      return 'format'
  }
}

function memberOf(value: unknown, key: PropertyKey | undefined): unknown {
  if (Array.isArray(value)) return typeof key === 'number' ? value[key] : undefined
  return isObject(value) && typeof key === 'string' ? value[key] : undefined
}
