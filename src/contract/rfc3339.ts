/** Event times must lie in what the store's dates can hold: 1970-01-01 up to, not including, 2106-01-01. */
const EARLIEST_TIME_MS = 0
const LATEST_TIME_MS = 4_291_747_199_999

const DAY_MS = 86_400_000
const MAX_TEXT_LENGTH = 64
const GENERAL_FORM =
  /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))$/

const DAYS_BEFORE_MONTH = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334]
const DAYS_IN_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/**
 * Unix ms of an RFC 3339 timestamp with any offset; null when the text is none or names a day or
 * time that does not exist. Digits beyond the millisecond are cut off. A leap second (`23:59:60` in
 * UTC) is the first instant of the next day, as in Unix time.
 */
export function parseRfc3339(text: string): number | null {
  const common = parseUtcForm(text)
  return Number.isNaN(common) ? parseGeneralForm(text) : common
}

/** `2026-11-23T10:00:00.123Z`; the inverse of `parseRfc3339` for whole milliseconds. */
export function formatTime(timeMs: number): string {
  return new Date(timeMs).toISOString()
}

/** True for times the store can hold. */
export function isStorableTime(timeMs: number): boolean {
  return timeMs >= EARLIEST_TIME_MS && timeMs <= LATEST_TIME_MS
}

/**
 * `YYYY-MM-DDTHH:mm:ssZ` and the same with exactly three decimals; NaN for everything else. Digits
 * are read one by one without calls: `(d | (9 - d)) < 0` exactly when d is no digit.
 */
function parseUtcForm(text: string): number {
  const length = text.length
  if (length !== 24 && length !== 20) return Number.NaN
  const d0 = text.charCodeAt(0) - 48
  const d1 = text.charCodeAt(1) - 48
  const d2 = text.charCodeAt(2) - 48
  const d3 = text.charCodeAt(3) - 48
  const d5 = text.charCodeAt(5) - 48
  const d6 = text.charCodeAt(6) - 48
  const d8 = text.charCodeAt(8) - 48
  const d9 = text.charCodeAt(9) - 48
  const dateDigits =
    d0 |
    d1 |
    d2 |
    d3 |
    d5 |
    d6 |
    d8 |
    d9 |
    ((9 - d0) | (9 - d1) | (9 - d2) | (9 - d3) | (9 - d5) | (9 - d6) | (9 - d8) | (9 - d9))
  const d11 = text.charCodeAt(11) - 48
  const d12 = text.charCodeAt(12) - 48
  const d14 = text.charCodeAt(14) - 48
  const d15 = text.charCodeAt(15) - 48
  const d17 = text.charCodeAt(17) - 48
  const d18 = text.charCodeAt(18) - 48
  const timeDigits =
    d11 |
    d12 |
    d14 |
    d15 |
    d17 |
    d18 |
    ((9 - d11) | (9 - d12) | (9 - d14) | (9 - d15) | (9 - d17) | (9 - d18))
  const separators =
    text.charCodeAt(4) === 45 &&
    text.charCodeAt(7) === 45 &&
    text.charCodeAt(10) === 84 &&
    text.charCodeAt(13) === 58 &&
    text.charCodeAt(16) === 58 &&
    text.charCodeAt(length - 1) === 90
  if ((dateDigits | timeDigits) < 0 || !separators) return Number.NaN
  const date = dateMs(d0 * 1000 + d1 * 100 + d2 * 10 + d3, d5 * 10 + d6, d8 * 10 + d9)
  const time = timeOfDayMs(d11 * 10 + d12, d14 * 10 + d15, d17 * 10 + d18)
  return date + time + (length === 24 ? decimalsMs(text) : 0)
}

/** The `.sss` of a text of 24 characters. */
function decimalsMs(text: string): number {
  const d20 = text.charCodeAt(20) - 48
  const d21 = text.charCodeAt(21) - 48
  const d22 = text.charCodeAt(22) - 48
  const digits = d20 | d21 | d22 | (9 - d20) | (9 - d21) | (9 - d22)
  if (digits < 0 || text.charCodeAt(19) !== 46) return Number.NaN
  return d20 * 100 + d21 * 10 + d22
}

function parseGeneralForm(text: string): number | null {
  if (text.length > MAX_TEXT_LENGTH) return null
  const match = GENERAL_FORM.exec(text)
  if (match === null) return null
  const [, year, month, day, hour, minute, second, fraction, sign, offsetHour, offsetMinute] = match
  if (Number(offsetHour ?? 0) > 23 || Number(offsetMinute ?? 0) > 59) return null
  const offsetMs =
    (Number(offsetHour ?? 0) * 60 + Number(offsetMinute ?? 0)) * (sign === '-' ? -60_000 : 60_000)
  const millisecond = Number((fraction ?? '').slice(0, 3).padEnd(3, '0'))
  const date = dateMs(Number(year), Number(month), Number(day))
  const leap = second === '60'
  const time = timeOfDayMs(Number(hour), Number(minute), leap ? 59 : Number(second))
  if (!leap) return numberOrNull(date + time + millisecond - offsetMs)
  const nextMinuteMs = date + time + 1000 - offsetMs
  return nextMinuteMs % DAY_MS === 0 ? nextMinuteMs : null
}

function numberOrNull(value: number): number | null {
  return Number.isNaN(value) ? null : value
}

// Events come in runs of the same day.
let lastDay = -1
let lastDayMs = 0

/** Midnight UTC of a day of the Gregorian calendar, Unix ms; NaN when there is no such day. */
function dateMs(year: number, month: number, day: number): number {
  const key = (year * 100 + month) * 100 + day
  if (key !== lastDay) {
    lastDayMs = civilDayMs(year, month, day)
    lastDay = key
  }
  return lastDayMs
}

function civilDayMs(year: number, month: number, day: number): number {
  if (month < 1 || month > 12 || day < 1) return Number.NaN
  const leapYear = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
  const leapDay = leapYear && month === 2 ? 1 : 0
  if (day > (DAYS_IN_MONTH[month - 1] as number) + leapDay) return Number.NaN
  const before = year - 1
  const leapDays = Math.floor(before / 4) - Math.floor(before / 100) + Math.floor(before / 400) + 1
  const dayOfYear =
    (DAYS_BEFORE_MONTH[month - 1] as number) + (leapYear && month > 2 ? 1 : 0) + day - 1
  // 719,528 days from 0000-01-01 to 1970-01-01.
  return (year * 365 + leapDays + dayOfYear - 719_528) * DAY_MS
}

/** NaN for a time of day that does not exist; leap seconds are the caller's. */
function timeOfDayMs(hour: number, minute: number, second: number): number {
  if (hour > 23 || minute > 59 || second > 59) return Number.NaN
  return ((hour * 60 + minute) * 60 + second) * 1000
}
