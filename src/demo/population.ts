import { languageOf } from '../domain/cohort.ts'
import type { Device } from '../domain/request-event.ts'
import { hashWord, seedOf, unitOf } from './hash.ts'
import type { LocaleMix } from './mix.ts'

export interface User {
  /** 0 … population size − 1. */
  readonly number: number
  readonly locale: string
  /** Primary language of the locale: the right answer for texts of this user. */
  readonly language: string
  readonly device: Device
}

/** Users addressed by number; who they are follows from the number alone, nothing is stored. */
export interface Population {
  readonly size: number
  user(number: number): User
}

export const POPULATION_SIZE = 1_000_000

const LOCALE_SEED = seedOf('demo user locale')
const DEVICE_SEED = seedOf('demo user device')
const SESSION_SEEDS = [seedOf('demo user session a'), seedOf('demo user session b')] as const

export function createPopulation(
  mix: readonly LocaleMix[],
  size: number = POPULATION_SIZE,
): Population {
  const pickLocale = createPicker(mix.map((row) => row.share))
  const cells = mix.map((row) => ({
    locale: row.locale,
    language: languageOf(row.locale),
    devices: row.devices.map(({ device }) => device),
    pickDevice: createPicker(row.devices.map(({ share }) => share)),
  }))
  return {
    size,
    user(number) {
      const cell = cells[pickLocale(unitOf(hashWord(number, LOCALE_SEED)))]
      if (cell === undefined) throw new RangeError('a population needs at least one locale')
      const device = cell.devices[cell.pickDevice(unitOf(hashWord(number, DEVICE_SEED)))]
      return {
        number,
        locale: cell.locale,
        language: cell.language,
        device: device ?? 'unknown',
      }
    },
  }
}

/** Pseudonym of a user, 16 hex digits; the number cannot be read from it. */
export function sessionIdOf(user: number): string {
  const [a, b] = SESSION_SEEDS
  return hex(hashWord(user, a)) + hex(hashWord(user, b))
}

/** Index of the share that contains `unit` (0 ≤ unit < 1) when the shares are laid end to end. */
function createPicker(shares: readonly number[]): (unit: number) => number {
  let end = 0
  const ends = shares.map((share) => {
    end += share
    return end
  })
  return (unit) => {
    const index = ends.findIndex((upper) => unit < upper)
    // Rounding may leave the last end just below 1.
    return index < 0 ? ends.length - 1 : index
  }
}

function hex(word: number): string {
  return word.toString(16).padStart(8, '0')
}
