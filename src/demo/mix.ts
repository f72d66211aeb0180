import { createRequire } from 'node:module'
import { HaldaneError } from '../domain/errors.ts'
import type { Device } from '../domain/request-event.ts'
import { DEVICES } from '../domain/request-event.ts'
import { loadOptional } from './optional-package.ts'

/** One recorded browser profile and how often it is seen; the weights of all add up to 1. */
export interface ProfileRecord {
  readonly language: string
  readonly device: string
  readonly weight: number
}

export interface LocaleMix {
  readonly locale: string
  /** Share of all recorded visitors, before flattening. */
  readonly recordedShare: number
  /** Share of the demo's users; adds up to 1 over the locales. */
  readonly share: number
  /** Shares within the locale; add up to 1. */
  readonly devices: readonly { readonly device: Device; readonly share: number }[]
}

/** Fixed before any run, so that nobody can choose the locales after seeing the numbers. */
export const DEMO_LOCALES: readonly string[] = [
  'en-US',
  'zh-CN',
  'de-DE',
  'es-ES',
  'fr-FR',
  'it-IT',
  'pt-BR',
  'cs-CZ',
  'da-DK',
]

/**
 * Recorded shares run from 89 % (en-US) to 0.01 % (da-DK). Raised to this power they keep their
 * order and run from 31 % to 5 %, so that a demo of a minute has something to say about each.
 */
const FLATTENING = 0.2

/**
 * Weight of the overall device shares in a locale's own, in records: a locale seen in one profile
 * (cs-CZ, da-DK) is almost all prior, en-US with thousands keeps what was recorded.
 */
const PRIOR_RECORDS = 50

/** Reads the profiles of the package `user-agents`. Throws `missing_dependency`. */
export async function loadProfiles(): Promise<ProfileRecord[]> {
  // The CommonJS door: the other one imports JSON, which older Node versions warn about.
  const loaded: unknown = await loadOptional('user-agents', () =>
    createRequire(import.meta.url)('user-agents'),
  )
  const library = loaded as { top(): unknown[] }
  return library.top().map((value) => {
    const profile = value as { language?: unknown; deviceCategory?: unknown; weight?: unknown }
    return {
      language: String(profile.language ?? ''),
      device: String(profile.deviceCategory ?? ''),
      weight: Number(profile.weight),
    }
  })
}

/**
 * The recorded joint distribution of locale and device, restricted to the locales and flattened.
 * Throws `invalid_input` when a locale was never recorded.
 */
export function flattenMix(
  records: readonly ProfileRecord[],
  locales: readonly string[] = DEMO_LOCALES,
): LocaleMix[] {
  const overall = deviceWeights(records)
  const total = sum(overall.values())
  const flattened = locales.map((locale) => {
    const own = records.filter((record) => record.language === locale)
    const recorded = deviceWeights(own)
    const weight = sum(recorded.values())
    if (weight <= 0) {
      throw new HaldaneError('invalid_input', `No recorded visitor has the locale ${locale}.`, {
        remedy: 'Choose locales that the package user-agents contains.',
      })
    }
    const trust = own.length / (own.length + PRIOR_RECORDS)
    const devices = [...overall].map(([device, overallWeight]) => ({
      device,
      share: (trust * (recorded.get(device) ?? 0)) / weight + ((1 - trust) * overallWeight) / total,
    }))
    return {
      locale,
      recordedShare: weight / total,
      raised: (weight / total) ** FLATTENING,
      devices,
    }
  })
  const raisedTotal = sum(flattened.map(({ raised }) => raised))
  return flattened.map(({ locale, recordedShare, raised, devices }) => ({
    locale,
    recordedShare,
    share: raised / raisedTotal,
    devices,
  }))
}

/** The mix as a table: locale, recorded share, share in the demo, share of each device. */
export function describeMix(mix: readonly LocaleMix[]): string[] {
  const devices = mix[0]?.devices.map(({ device }) => device) ?? []
  const rows = [
    ['locale', 'recorded', 'users', ...devices],
    ...mix.map((row) => [
      row.locale,
      percent(row.recordedShare, 3),
      percent(row.share, 1),
      ...row.devices.map(({ share }) => percent(share, 1)),
    ]),
  ]
  return rows.map((row) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(8) : cell.padStart(10))).join(''),
  )
}

function deviceWeights(records: readonly ProfileRecord[]): Map<Device, number> {
  const weights = new Map<Device, number>()
  for (const record of records) {
    const device = DEVICES.find((known) => known === record.device) ?? 'other'
    weights.set(device, (weights.get(device) ?? 0) + record.weight)
  }
  return new Map([...weights].sort(([, a], [, b]) => b - a))
}

function sum(values: Iterable<number>): number {
  let total = 0
  for (const value of values) total += value
  return total
}

function percent(share: number, digits: number): string {
  return `${(share * 100).toFixed(digits)} %`
}
