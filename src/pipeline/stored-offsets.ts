import { HaldaneError } from '../domain/errors.ts'
import type { Rejection } from '../domain/request-event.ts'

export interface OffsetRange {
  readonly partition: number
  readonly fromOffset: number
  /** Exclusive. */
  readonly toOffset: number
}

/** Rejections of a range by their position in it. */
export type RangeRejections = {
  readonly index: number
  readonly rejections: readonly Rejection[]
}[]

/**
 * Lets whoever appended records wait until they are stored, and hands them what was rejected among
 * them. Every rejection noted must be collected by a waiter.
 */
export interface StoredOffsets {
  rejected(partition: number, offset: number, rejections: readonly Rejection[]): void
  stored(partition: number, nextOffset: number): void
  wait(range: OffsetRange): Promise<RangeRejections>
  /** Rejects all who wait. */
  fail(error: Error): void
}

interface Waiter {
  readonly range: OffsetRange
  readonly resolve: (rejections: RangeRejections) => void
  readonly reject: (error: Error) => void
}

export function createStoredOffsets(): StoredOffsets {
  const storedTo = new Map<number, number>()
  const rejections = new Map<number, Map<number, readonly Rejection[]>>()
  let waiters: Waiter[] = []
  let failure: Error | null = null

  const isStored = ({ partition, toOffset }: OffsetRange) =>
    (storedTo.get(partition) ?? 0) >= toOffset

  const collect = (range: OffsetRange): RangeRejections => {
    const found: { index: number; rejections: readonly Rejection[] }[] = []
    const noted = rejections.get(range.partition)
    if (noted === undefined) return found
    for (let offset = range.fromOffset; offset < range.toOffset && noted.size > 0; offset++) {
      const reasons = noted.get(offset)
      if (reasons === undefined) continue
      noted.delete(offset)
      found.push({ index: offset - range.fromOffset, rejections: reasons })
    }
    return found
  }

  return {
    rejected(partition, offset, reasons) {
      let noted = rejections.get(partition)
      if (noted === undefined) {
        noted = new Map()
        rejections.set(partition, noted)
      }
      noted.set(offset, reasons)
    },
    stored(partition, nextOffset) {
      storedTo.set(partition, nextOffset)
      const ready = waiters.filter((waiter) => isStored(waiter.range))
      if (ready.length === 0) return
      waiters = waiters.filter((waiter) => !ready.includes(waiter))
      for (const waiter of ready) waiter.resolve(collect(waiter.range))
    },
    wait(range) {
      if (failure !== null) return Promise.reject(failure)
      if (isStored(range)) return Promise.resolve(collect(range))
      return new Promise((resolve, reject) => waiters.push({ range, resolve, reject }))
    },
    fail(error) {
      failure = new HaldaneError('store_unavailable', `not stored: ${error.message}`, {
        retryable: true,
        cause: error,
      })
      for (const waiter of waiters) waiter.reject(failure)
      waiters = []
    },
  }
}
