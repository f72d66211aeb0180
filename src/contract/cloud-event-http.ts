import { ATTRIBUTE_PREFIX, CONTENT_TYPE, type MessageHeaders } from './cloud-event.ts'

/** Before the name of an attribute in an HTTP header. */
export const HTTP_PREFIX = 'ce-'

const ENCODED = /[^\x21\x23\x24\x26-\x7e]/gu

/** The value of an attribute as an HTTP header carries it (HTTP protocol binding, 3.1.3.2). */
export function percentEncoded(value: string): string {
  return value.replace(ENCODED, (character) =>
    Buffer.from(character, 'utf8').toString('hex').toUpperCase().replace(/../g, '%$&'),
  )
}

/**
 * The bytes of the attribute in an HTTP header: quotes taken off, then one round of
 * percent-decoding. A `%` without two hexadecimal digits stands for itself, as senders that do not
 * encode mean it; whether the bytes are UTF-8 is for the reader to judge.
 */
export function attributeBytes(header: string): Uint8Array {
  const quoted = /^\s*"(.*)"\s*$/s.exec(header)?.[1]
  const text = quoted === undefined ? header.trim() : quoted.replace(/\\(.)/gs, '$1')
  // Node reads header bytes as Latin-1; writers that do not encode send UTF-8.
  const raw = Buffer.from(text, 'latin1')
  const bytes = new Uint8Array(raw.length)
  let length = 0
  for (let at = 0; at < raw.length; at++) {
    const hex = raw[at] === 0x25 ? raw.toString('latin1', at + 1, at + 3) : ''
    if (/^[0-9A-Fa-f]{2}$/.test(hex)) {
      bytes[length++] = Number.parseInt(hex, 16)
      at += 2
    } else bytes[length++] = raw[at] as number
  }
  return bytes.slice(0, length)
}

/**
 * An HTTP message's headers as the Kafka record of the same event has them: attributes by their
 * names there, and the content type. Everything else is left out. Names are in lower case.
 */
export function recordHeaders(
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
): MessageHeaders {
  const result: Record<string, Uint8Array> = {}
  for (const [name, value] of Object.entries(headers)) {
    const text = typeof value === 'string' ? value : value?.at(-1)
    if (text === undefined) continue
    if (name === CONTENT_TYPE) result[CONTENT_TYPE] = Buffer.from(text, 'latin1')
    const attribute = name.startsWith(HTTP_PREFIX) ? name.slice(HTTP_PREFIX.length) : ''
    // What is no name of an attribute came from somebody else.
    if (/^[a-z0-9]+$/.test(attribute)) result[ATTRIBUTE_PREFIX + attribute] = attributeBytes(text)
  }
  return result
}
