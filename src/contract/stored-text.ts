/** Longest text or value that is read as one event, ack or command, in bytes. */
export const MAX_VALUE_BYTES = 1_048_576

export const MODEL_NAME = /^[A-Za-z0-9._/-]{1,128}$/
export const ENVIRONMENT = /^[A-Za-z0-9._-]{1,64}$/
/** <model name>/<environment>; the environment is what follows the last slash. */
export const ROUTE = /^[A-Za-z0-9._/-]{1,128}\/[A-Za-z0-9._-]{1,64}$/
export const KPI_NAME = /^[A-Za-z0-9_.-]{1,64}$/
/** Semantic Versioning 2.0, the pattern of https://semver.org/#is-there-a-suggested-regular-expression. */
export const SEMVER =
  /^(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)(?:-(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)(?:\.(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*))*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/
export const MAX_SEMVER_LENGTH = 64

// Node 20 has it; the ES2023 type library does not.
interface WellFormedText {
  isWellFormed(): boolean
}

/** False for text with NUL or lone surrogates, which the store and the bus would not give back as it was. */
export function isStorable(text: string): boolean {
  return !text.includes('\0') && (text as unknown as WellFormedText).isWellFormed()
}

/** Length in code points, as JSON Schema counts it, compared with bounds that are included. */
export function hasLength(text: string, atLeast: number, atMost: number): boolean {
  const units = text.length
  if (units < atLeast) return false
  if (units <= atMost && units >= 2 * atLeast) return true
  const points = codePointsOf(text)
  return points >= atLeast && points <= atMost
}

function codePointsOf(text: string): number {
  let points = text.length
  for (let index = 0; index < text.length - 1; index++) {
    const unit = text.charCodeAt(index)
    if (unit < 0xd800 || unit > 0xdbff) continue
    const next = text.charCodeAt(index + 1)
    if (next >= 0xdc00 && next <= 0xdfff) {
      points--
      index++
    }
  }
  return points
}

/** True for a plain JSON object: not null, not a list. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
