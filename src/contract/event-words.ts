import { DEVICES, type Device, type Outcome } from '../domain/request-event.ts'

const DEVICE_OF_WORD = new Map<string, Device>(DEVICES.map((device) => [device, device]))

/** The device a word names, in any case; null for an unknown word. */
export function deviceOfWord(word: string): Device | null {
  return DEVICE_OF_WORD.get(word) ?? DEVICE_OF_WORD.get(word.toLowerCase()) ?? null
}

/** Outcome of an HTTP status where the event names none. 499 = client closed the request. */
export function outcomeOfStatus(statusCode: number): Outcome {
  if (statusCode < 400) return 'ok'
  switch (statusCode) {
    case 408:
    case 504:
      return 'timeout'
    case 429:
      return 'rejected'
    case 499:
      return 'cancelled'
    default:
      return 'error'
  }
}
