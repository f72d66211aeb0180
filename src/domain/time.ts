/** A block is `[start, start + lengthMs)` in Unix ms of request start; starts are whole multiples of its length. */

/** First block boundary at or after `timeMs`. */
export function ceilToBlock(timeMs: number, lengthMs: number): number {
  return Math.ceil(timeMs / lengthMs) * lengthMs
}

/** Last block boundary at or before `timeMs`. */
export function floorToBlock(timeMs: number, lengthMs: number): number {
  return Math.floor(timeMs / lengthMs) * lengthMs
}

/** `90 s` → `1m30s`; for people, never parsed again. */
export function describeDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)}ms`
  let seconds = Math.round(ms / 1000)
  const parts: string[] = []
  for (const [unit, size] of [
    ['d', 86_400],
    ['h', 3600],
    ['m', 60],
    ['s', 1],
  ] as const) {
    const count = Math.floor(seconds / size)
    if (count > 0) parts.push(`${count}${unit}`)
    seconds -= count * size
  }
  return parts.slice(0, 2).join('')
}
