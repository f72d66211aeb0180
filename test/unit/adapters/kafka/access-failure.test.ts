import { describe, expect, it } from 'vitest'
import { accessFailure } from '../../../../src/adapters/kafka/access-failure.ts'
import { explain, isTransient } from '../../../../src/adapters/kafka/failure.ts'

const thrown = (message: string, fields: object = {}) => Object.assign(new Error(message), fields)
const connection = (message: string, fields: object = {}) =>
  thrown(message, { name: 'KafkaJSConnectionError', retriable: true, ...fields })

describe('what keeps a client out of Kafka', () => {
  it.each([
    [
      'a wrong password',
      thrown('SASL SCRAM SHA512 authentication failed', { name: 'KafkaJSSASLAuthenticationError' }),
      /login was refused.*HALDANE_KAFKA_SASL_PASSWORD/,
    ],
    [
      'an unknown mechanism',
      thrown('SASL PLAIN mechanism is not supported by the server', {
        name: 'KafkaJSSASLAuthenticationError',
      }),
      /does not offer.*HALDANE_KAFKA_SASL_MECHANISM/,
    ],
    [
      'a mechanism refused in the handshake',
      thrown('unsupported', { type: 'UNSUPPORTED_SASL_MECHANISM' }),
      /does not offer/,
    ],
    [
      'a login where none is taken',
      thrown('invalid', { type: 'ILLEGAL_SASL_STATE', retriable: true }),
      /takes no login/,
    ],
    [
      'an unknown authority',
      connection('Connection error: self-signed certificate in certificate chain', {
        code: 'SELF_SIGNED_CERT_IN_CHAIN',
      }),
      /not accepted \(self-signed certificate in certificate chain\).*HALDANE_KAFKA_CA_FILE/,
    ],
    [
      'an expired certificate',
      connection('Connection error: certificate has expired', { code: 'CERT_HAS_EXPIRED' }),
      /has expired.*renew/,
    ],
    [
      'another name in the certificate',
      connection('Connection error: Hostname does not match', {
        code: 'ERR_TLS_CERT_ALTNAME_INVALID',
      }),
      /HALDANE_KAFKA_BROKERS as their certificates do/,
    ],
    [
      'no certificate of its own',
      connection(
        'Connection error: 80:error:0A:SSL routines:tlsv13 alert certificate required:x\n',
      ),
      /certificate of this client \(certificate required\).*HALDANE_KAFKA_CERT_FILE/,
    ],
  ])('%s is told in one line and never tried again', (_, error, expected) => {
    const wrapped = thrown('retries exceeded', {
      name: 'KafkaJSNumberOfRetriesExceeded',
      cause: error,
    })
    for (const failure of [error, wrapped]) {
      const explained = explain(failure, 'no contact', ['kafka:9093'])
      expect(explained).toMatchObject({ code: 'unauthorized', retryable: false })
      expect(`${explained.message} ${explained.remedy}`).toMatch(expected)
      expect(explained.message).toMatch(/^no contact: Kafka at kafka:9093: /)
      expect(explained.message).not.toContain('\n')
      expect(isTransient(failure)).toBe(false)
    }
  })

  it.each([
    [
      'a listener without TLS',
      connection(
        'Connection error: Client network socket disconnected before secure TLS connection was established',
        { code: 'ECONNRESET' },
      ),
      'HALDANE_KAFKA_TLS',
    ],
    [
      'a listener that expects TLS or a login',
      thrown('Closed connection', { name: 'KafkaJSConnectionClosedError', retriable: true }),
      'HALDANE_KAFKA_SASL_MECHANISM',
    ],
  ])('%s looks like a broker that goes away: tried again, with a hint', (_, error, hint) => {
    const explained = explain(error, 'no contact', ['kafka:9093'])
    expect(explained).toMatchObject({ code: 'bus_unavailable', retryable: true })
    expect(explained.remedy).toContain(hint)
    expect(isTransient(error)).toBe(true)
  })

  it('is not what a broker that is away looks like', () => {
    expect(accessFailure(connection('connect ECONNREFUSED', { code: 'ECONNREFUSED' }))).toBeNull()
    expect(accessFailure(thrown('x', { type: 'TOPIC_AUTHORIZATION_FAILED' }))).toBeNull()
    expect(accessFailure('text')).toBeNull()
  })
})
