import type { ErrorCode } from '../../domain/errors.ts'
import { chainOf, type KafkaFailure } from './failure-chain.ts'

/** Why a broker and this client do not come together although there is a network. */
export interface AccessFailure {
  readonly code: ErrorCode
  readonly problem: string
  readonly remedy: string
  /** False: only a change of the configuration, here or there, helps. */
  readonly retryable: boolean
}

/** OpenSSL's and Node's names for a certificate that is not accepted. */
const CERTIFICATE_REFUSED =
  /^(UNABLE_TO_(GET|VERIFY|DECODE|DECRYPT)_|SELF_SIGNED_|DEPTH_ZERO_|CERT_|INVALID_(CA|PURPOSE)|HOSTNAME_MISMATCH|ERR_TLS_CERT_ALTNAME_INVALID)/

/** What a broker says about the certificate of its client, or that there is none. */
const OWN_CERTIFICATE_REFUSED =
  /alert (bad certificate|unsupported certificate|certificate (?:required|unknown|expired|revoked)|unknown ca)/i

const HANDSHAKE_BROKEN = /before secure TLS connection was established|wrong version number/i

/** Null when the failure has nothing to do with TLS or the login. */
export function accessFailure(thrown: unknown): AccessFailure | null {
  for (const failure of chainOf(thrown)) {
    const found = loginFailure(failure) ?? tlsFailure(failure)
    if (found !== null) return found
  }
  return null
}

function loginFailure({ name, type, message = '' }: KafkaFailure): AccessFailure | null {
  const refused = { code: 'unauthorized', retryable: false } as const
  if (type === 'ILLEGAL_SASL_STATE') {
    return {
      ...refused,
      problem: 'this listener takes no login',
      remedy:
        'name a listener with a login in HALDANE_KAFKA_BROKERS, or unset HALDANE_KAFKA_SASL_…',
    }
  }
  if (type === 'UNSUPPORTED_SASL_MECHANISM' || /mechanism is not supported/.test(message)) {
    return {
      ...refused,
      problem: 'this listener does not offer the SASL mechanism',
      remedy: 'set HALDANE_KAFKA_SASL_MECHANISM to one of its sasl.enabled.mechanisms',
    }
  }
  if (name === 'KafkaJSSASLAuthenticationError' || type === 'SASL_AUTHENTICATION_FAILED') {
    return {
      ...refused,
      problem: 'the login was refused, user or password are wrong',
      remedy:
        'check HALDANE_KAFKA_SASL_USERNAME and HALDANE_KAFKA_SASL_PASSWORD (or its file), ' +
        'and that the user exists for this mechanism',
    }
  }
  return null
}

function tlsFailure({ name, code, message = '' }: KafkaFailure): AccessFailure | null {
  const refused = { code: 'unauthorized', retryable: false } as const
  if (CERTIFICATE_REFUSED.test(String(code ?? ''))) {
    const why = message.replace(/^Connection error: /, '')
    const problem = `the certificate of the broker is not accepted (${why})`
    return { ...refused, problem, remedy: certificateRemedy(String(code)) }
  }
  const alert = OWN_CERTIFICATE_REFUSED.exec(message)?.[1]
  if (alert !== undefined) {
    return {
      ...refused,
      problem: `the broker does not accept the certificate of this client (${alert})`,
      remedy: 'check HALDANE_KAFKA_CERT_FILE and HALDANE_KAFKA_KEY_FILE',
    }
  }
  const again = { code: 'bus_unavailable', retryable: true } as const
  if (HANDSHAKE_BROKEN.test(message)) {
    return {
      ...again,
      problem: 'the TLS handshake broke off',
      remedy: 'check that the listener speaks TLS, or unset HALDANE_KAFKA_TLS',
    }
  }
  if (name === 'KafkaJSConnectionClosedError') {
    return {
      ...again,
      problem: 'the broker closed the connection',
      remedy:
        'if it goes on: the listener may expect TLS (HALDANE_KAFKA_TLS) or a login ' +
        '(HALDANE_KAFKA_SASL_MECHANISM)',
    }
  }
  return null
}

function certificateRemedy(code: string): string {
  if (code === 'CERT_HAS_EXPIRED') return 'renew the certificate of the broker'
  if (code === 'CERT_NOT_YET_VALID') return 'check the clocks of the broker and of this machine'
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID' || code === 'HOSTNAME_MISMATCH') {
    return 'name the brokers in HALDANE_KAFKA_BROKERS as their certificates do'
  }
  return 'name the authority that signed it with HALDANE_KAFKA_CA_FILE'
}
