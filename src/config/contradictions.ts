import { createPrivateKey, X509Certificate } from 'node:crypto'
import { isLoopback } from '../domain/loopback.ts'
import type { Settings } from './settings.ts'
import { type Values, variableOf } from './variables.ts'

/** What each variable allows by itself and the whole does not. */
export function contradictions(settings: Settings): string[] {
  const { values } = settings
  const missing = (name: keyof Values, why: string) =>
    settings.isGiven(name) ? [] : [`${name} is not set: ${why}`]
  const problems = [...withoutEffect(settings)]
  if (values.HALDANE_KAFKA_SASL_MECHANISM !== null) {
    const why = 'HALDANE_KAFKA_SASL_MECHANISM needs it'
    problems.push(...missing('HALDANE_KAFKA_SASL_USERNAME', why))
    problems.push(...missing('HALDANE_KAFKA_SASL_PASSWORD', `${why} (or its _FILE form)`))
  }
  if (values.HALDANE_KAFKA_CERT_FILE !== null) {
    problems.push(...missing('HALDANE_KAFKA_KEY_FILE', 'HALDANE_KAFKA_CERT_FILE needs it'))
  }
  if (values.HALDANE_KAFKA_KEY_FILE !== null) {
    problems.push(...missing('HALDANE_KAFKA_CERT_FILE', 'HALDANE_KAFKA_KEY_FILE needs it'))
  }
  problems.push(...unusableCertificates(values))
  const { HALDANE_CLICKHOUSE_URL: url, HALDANE_CLICKHOUSE_CA_FILE: ca } = values
  if (ca !== null && url?.startsWith('http:')) {
    problems.push('HALDANE_CLICKHOUSE_CA_FILE has no effect: HALDANE_CLICKHOUSE_URL is not https')
  }
  const { HALDANE_HTTP_HOST: host } = values
  if (host !== null && !isLoopback(host)) {
    const why = `HALDANE_HTTP_HOST is "${host}", which other machines can reach`
    problems.push(...missing('HALDANE_TOKEN', `${why} (HALDANE_TOKEN_FILE does too)`))
  }
  return problems
}

/** A part of a door that is not there: without the error another store or bus would be used. */
function withoutEffect({ values, list, isGiven }: Settings): string[] {
  return list.flatMap(({ name, shown }) => {
    const { needs, default: fallback } = variableOf(name)
    if (needs === undefined || !isGiven(name) || shown === fallback) return []
    const needed = values[needs.name]
    if (needs.value === undefined ? isGiven(needs.name) : (needed ?? needs.value) === needs.value) {
      return []
    }
    const wanted = needs.value === undefined ? 'is not set' : `is not ${needs.value}`
    return [`${name} has no effect: ${needs.name} ${wanted}`]
  })
}

function unusableCertificates(values: Values): string[] {
  const certificates = [
    'HALDANE_KAFKA_CA_FILE',
    'HALDANE_KAFKA_CERT_FILE',
    'HALDANE_CLICKHOUSE_CA_FILE',
  ] as const
  const problems = certificates.flatMap((name) => {
    const pem = values[name]
    const why = pem === null ? null : failureOf(() => new X509Certificate(pem))
    return why === null ? [] : [`${name}: the file holds no certificate that can be read (${why})`]
  })
  const { HALDANE_KAFKA_CERT_FILE: cert, HALDANE_KAFKA_KEY_FILE: key } = values
  const keyFails = key === null ? null : failureOf(() => createPrivateKey(key))
  if (keyFails !== null) {
    problems.push(
      `HALDANE_KAFKA_KEY_FILE: the key cannot be read without a passphrase (${keyFails})`,
    )
  } else if (problems.length === 0 && cert !== null && key !== null) {
    if (new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) return []
    problems.push('HALDANE_KAFKA_KEY_FILE is not the key of HALDANE_KAFKA_CERT_FILE')
  }
  return problems
}

function failureOf(attempt: () => unknown): string | null {
  try {
    attempt()
    return null
  } catch (thrown) {
    return thrown instanceof Error ? thrown.message : String(thrown)
  }
}
