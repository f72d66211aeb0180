/** Events whose median is the time against which a line without `recorded_at` is judged. */
const REFERENCE_EVENTS = 101

/** The running median of the last accepted events of a file. */
export interface FileReference {
  /** An event that was accepted. */
  push(occurredAtMs: number): void
  /** Unix ms; the later of the two middle ones of an even number; null before the first event. */
  reference(): number | null
}

/** The last 101 values are kept sorted: a binary search and one move of at most 101 numbers an event. */
export function createFileReference(): FileReference {
  const recent = new Float64Array(REFERENCE_EVENTS)
  const sorted = new Float64Array(REFERENCE_EVENTS)
  let size = 0
  let next = 0

  return {
    push(occurredAtMs) {
      if (size === REFERENCE_EVENTS) {
        const leaving = indexOfFirstAtLeast(sorted, size, recent[next] as number)
        sorted.copyWithin(leaving, leaving + 1, size)
        size--
      }
      const at = indexOfFirstAtLeast(sorted, size, occurredAtMs)
      sorted.copyWithin(at + 1, at, size)
      sorted[at] = occurredAtMs
      size++
      recent[next] = occurredAtMs
      next = (next + 1) % REFERENCE_EVENTS
    },
    reference: () => (size === 0 ? null : (sorted[size >> 1] as number)),
  }
}

function indexOfFirstAtLeast(sorted: Float64Array, size: number, value: number): number {
  let low = 0
  let high = size
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] as number) < value) low = middle + 1
    else high = middle
  }
  return low
}

interface JudgedEvent<T> {
  readonly item: T
  readonly occurredAtMs: number
  /** The time it is to be judged against, Unix ms. */
  readonly referenceMs: number
  readonly accepted: boolean
}

/** Gives each event of a file the time it is judged against, in the order of the file. */
export interface FileClock<T> {
  /** The events judged by now: none while the first 101 are gathered, then all of them. */
  push(item: T, occurredAtMs: number, recordedAtMs: number | null): JudgedEvent<T>[]
  /** The rest, at the end of the file. */
  end(): JudgedEvent<T>[]
}

/**
 * An event is judged against its `recorded_at`, else against the median of the last 101 accepted
 * events. The first 101 events wait for each other: their reference is the median of them all.
 */
export function createFileClock<T>(
  isTimely: (occurredAtMs: number, referenceMs: number) => boolean,
): FileClock<T> {
  const reference = createFileReference()
  let waiting: { item: T; occurredAtMs: number; recordedAtMs: number | null }[] | null = []

  const judge = (
    item: T,
    occurredAtMs: number,
    recordedAtMs: number | null,
    medianMs: number,
  ): JudgedEvent<T> => {
    const referenceMs = recordedAtMs ?? medianMs
    const accepted = isTimely(occurredAtMs, referenceMs)
    if (accepted) reference.push(occurredAtMs)
    return { item, occurredAtMs, referenceMs, accepted }
  }

  const release = (): JudgedEvent<T>[] => {
    const first = waiting ?? []
    waiting = null
    const all = createFileReference()
    for (const { occurredAtMs } of first) all.push(occurredAtMs)
    const medianMs = all.reference() ?? 0
    return first.map(({ item, occurredAtMs, recordedAtMs }) =>
      judge(item, occurredAtMs, recordedAtMs, medianMs),
    )
  }

  return {
    push(item, occurredAtMs, recordedAtMs) {
      if (waiting === null) {
        const medianMs = reference.reference() ?? occurredAtMs
        return [judge(item, occurredAtMs, recordedAtMs, medianMs)]
      }
      waiting.push({ item, occurredAtMs, recordedAtMs })
      return waiting.length < REFERENCE_EVENTS ? [] : release()
    },
    end: () => (waiting === null ? [] : release()),
  }
}
