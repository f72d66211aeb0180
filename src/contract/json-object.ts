import { isUtf8 } from 'node:buffer'
import type { Rejection, RejectionCode } from '../domain/request-event.ts'
import { printable } from './rejection-text.ts'
import { isObject, MAX_VALUE_BYTES } from './stored-text.ts'

/** A value of the bus, a line of a file or an element of a request body, as JSON. */
export interface JsonObject {
  readonly object: Record<string, unknown>
  /** False when some bytes are no UTF-8; each such sequence reads as U+FFFD. */
  readonly validUtf8: boolean
}

/** Reads bytes as one JSON object, or says why they are none. Of a doubled key the last counts. */
export function readJsonObject(value: Uint8Array | null): JsonObject | Rejection[] {
  if (value === null) return whole('tombstone', 'the record has no value; expected a JSON object')
  if (value.byteLength > MAX_VALUE_BYTES) {
    return whole('too_large', `${value.byteLength} bytes; at most ${MAX_VALUE_BYTES} are allowed`)
  }
  const text = textOf(value)
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (error) {
    return whole('not_json', notJson(text, error))
  }
  if (!isObject(parsed)) {
    return whole('not_an_object', `${kindOf(parsed)}; expected a JSON object`)
  }
  return { object: parsed, validUtf8: !text.includes('\ufffd') || isUtf8(value) }
}

/**
 * The object read twice, with every byte that is no UTF-8 as U+FFFD and as the letter X: exactly the
 * texts that hold such bytes differ between the two. A U+FFFD that was really sent reads as blanks
 * in both. Only for values that `readJsonObject` accepts.
 */
export function readInvalidUtf8Twice(
  value: Uint8Array,
): readonly [replaced: Record<string, unknown>, marked: Record<string, unknown>] {
  const bytes = Buffer.from(value)
  for (let at = bytes.indexOf(REPLACEMENT); at >= 0; at = bytes.indexOf(REPLACEMENT, at + 3)) {
    bytes.fill(0x20, at, at + REPLACEMENT.length)
  }
  const text = textOf(bytes)
  return [objectIn(text), objectIn(text.replaceAll('\ufffd', 'X'))]
}

const REPLACEMENT = Buffer.from('\ufffd')

function objectIn(text: string): Record<string, unknown> {
  const parsed: unknown = JSON.parse(text)
  return isObject(parsed) ? parsed : {}
}

function textOf(value: Uint8Array): string {
  const bytes = Buffer.isBuffer(value)
    ? value
    : Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  const text = bytes.toString('utf8')
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text
}

function whole(code: RejectionCode, message: string): Rejection[] {
  return [{ field: '', code, message }]
}

function notJson(text: string, error: unknown): string {
  if (text.trim() === '') return 'empty; expected a JSON object'
  const position = error instanceof Error ? /at position (\d+)/.exec(error.message)?.[1] : undefined
  const near = position === undefined ? '' : ` at character ${Number(position) + 1}`
  return `not JSON${near}: ${printable(text)}`
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'a JSON list' : `a JSON ${typeof value}`
}
