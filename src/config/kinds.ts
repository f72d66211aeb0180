import { readFileSync } from 'node:fs'

/** What a variable of the environment may hold. */
export interface Kind<T> {
  /** As in `allowed: …`. */
  readonly allowed: string
  /** The value of a text that is not empty; or, in words, why there is none. */
  parse(text: string): Parsed<T>
}

export type Parsed<T> = { readonly value: T } | { readonly problem: string }

export function text(allowed: string, pattern = /^[^\0]+$/): Kind<string> {
  return matching(allowed, pattern, (value) => value)
}

export function integer(min: number, max: number, unit = ''): Kind<number> {
  const allowed = `a whole number${unit === '' ? '' : ` of ${unit}`} from ${min} to ${max}`
  return {
    allowed,
    parse(value) {
      const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN
      return number >= min && number <= max ? { value: number } : notAllowed(allowed)
    },
  }
}

/** One of the words, in any case. */
export function word<const T extends string>(words: readonly T[]): Kind<T> {
  const allowed = words.join(', ')
  return {
    allowed,
    parse(value) {
      const found = words.find((candidate) => candidate === value.toLowerCase())
      return found === undefined ? notAllowed(allowed) : { value: found }
    },
  }
}

export const flag: Kind<boolean> = matching(
  'true, false',
  /^(true|false)$/i,
  (value) => value.toLowerCase() === 'true',
)

export const brokerList: Kind<readonly string[]> = matching(
  'host:port, several separated by commas, without a scheme or spaces',
  /^[^\s,:/@]+:\d{1,5}(,[^\s,:/@]+:\d{1,5})*$|^\[[\da-f:.]+\]:\d{1,5}(,\[[\da-f:.]+\]:\d{1,5})*$/i,
  (value) => value.split(','),
)

/** An http or https address without anything after the port; without a slash at its end. */
export const httpOrigin: Kind<string> = {
  allowed: 'http://host:port or https://host:port',
  parse(value) {
    const url = URL.canParse(value) ? new URL(value) : null
    if (url === null || !['http:', 'https:'].includes(url.protocol)) {
      return notAllowed(httpOrigin.allowed)
    }
    if (url.username !== '' || url.password !== '') {
      return {
        problem:
          'a user and a password do not belong into an address, which ends up in logs: ' +
          'use HALDANE_CLICKHOUSE_USER and HALDANE_CLICKHOUSE_PASSWORD_FILE',
      }
    }
    if (url.pathname !== '/' || url.search !== '' || url.hash !== '') {
      return { problem: 'nothing may follow the port; the database is HALDANE_CLICKHOUSE_DATABASE' }
    }
    return { value: url.origin }
  },
}

/** Path of a PEM file; the value is its text. */
export function pemFile(label: 'CERTIFICATE' | 'PRIVATE KEY'): Kind<string> {
  const allowed = `a PEM file with "BEGIN ${label}"`
  const pattern = label === 'CERTIFICATE' ? /-BEGIN CERTIFICATE-/ : /-BEGIN ([A-Z]+ )*PRIVATE KEY-/
  return {
    allowed,
    parse(path) {
      const read = readText(path)
      if ('problem' in read) return read
      return pattern.test(read.value)
        ? read
        : { problem: `there is no "BEGIN ${label}" in the file; allowed: ${allowed}` }
    },
  }
}

/** The text of a file, or in words why there is none. */
export function readText(path: string): Parsed<string> {
  try {
    return { value: readFileSync(path, 'utf8') }
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException
    const why = WHY_UNREADABLE[code ?? ''] ?? `it cannot be read (${code ?? String(thrown)})`
    return { problem: why }
  }
}

const WHY_UNREADABLE: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file',
  EISDIR: 'it is a directory, not a file',
  EACCES: 'this user may not read the file',
  EPERM: 'this user may not read the file',
}

function matching<T>(allowed: string, pattern: RegExp, make: (text: string) => T): Kind<T> {
  return {
    allowed,
    parse: (value) => (pattern.test(value) ? { value: make(value) } : notAllowed(allowed)),
  }
}

function notAllowed(allowed: string): { readonly problem: string } {
  return { problem: `allowed: ${allowed}` }
}
