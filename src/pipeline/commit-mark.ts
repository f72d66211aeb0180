import { z } from 'zod'
import { HaldaneError } from '../domain/errors.ts'
import type { Committed } from '../ports.ts'

/**
 * What a partition's owner leaves beside the committed offset. `maxEventTimeMs` is that of the
 * records below the offset. `pending` says that rows of the records from the offset to `pending.to`
 * may be in the store, or on their way into it from a process that is gone or slow.
 */
export interface CommitMark {
  readonly maxEventTimeMs: number
  readonly pending: { readonly to: number; readonly rows: number } | null
}

const wire = z.object({
  v: z.literal(1),
  t: z.int().min(0),
  to: z.int().min(0).optional(),
  n: z.int().min(1).optional(),
})

export function encodeMark({ maxEventTimeMs, pending }: CommitMark): string {
  const range = pending === null ? {} : { to: pending.to, n: pending.rows }
  return JSON.stringify({ v: 1, t: maxEventTimeMs, ...range })
}

/**
 * Null when nothing was left: a new group, or one whose offsets were set by hand. Throws `conflict`
 * for a mark of a newer Haldane: guessing would risk rows that are stored twice.
 */
export function decodeMark({ offset, metadata }: Committed): CommitMark | null {
  if (offset === null || !metadata.startsWith('{"v":')) return null
  const mark = wire.safeParse(parseJson(metadata))
  if (!mark.success) {
    throw new HaldaneError('conflict', `unreadable mark beside a committed offset: ${metadata}`, {
      remedy: 'a newer Haldane consumes with this group: run that one, or stop all of them first',
      cause: mark.error,
    })
  }
  const { t, to, n } = mark.data
  const pending = to === undefined || n === undefined || to < offset ? null : { to, rows: n }
  return { maxEventTimeMs: t, pending }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
