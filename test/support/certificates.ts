import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'

/** PEM texts. */
export interface TestIdentity {
  readonly cert: string
  /** PKCS #8, without a passphrase. */
  readonly key: string
}

export interface TestAuthority {
  /** PEM text of the authority's own certificate. */
  readonly ca: string
  /** A key with a certificate for `localhost` and 127.0.0.1. */
  issue(name: string): TestIdentity
}

/** An authority for one test run: elliptic keys, certificates valid for a day (X.509 v3, RFC 5280). */
export function createAuthority(name = 'test authority'): TestAuthority {
  const own = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const made = { issuer: name, signer: own.privateKey }
  return {
    ca: certificate({ ...made, subject: name, publicKey: own.publicKey, isAuthority: true }),
    issue(subject) {
      const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      return {
        cert: certificate({ ...made, subject, publicKey, isAuthority: false }),
        key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      }
    },
  }
}

const DAY_MS = 86_400_000
const OID = { commonName: '550403', basicConstraints: '551d13', alternativeNames: '551d11' }
const ECDSA_WITH_SHA256 = sequence(der(0x06, Buffer.from('2a8648ce3d040302', 'hex')))

function certificate(of: {
  readonly issuer: string
  readonly signer: KeyObject
  readonly subject: string
  readonly publicKey: KeyObject
  readonly isAuthority: boolean
}): string {
  const constraints = sequence(of.isAuthority ? der(0x01, Buffer.of(0xff)) : Buffer.alloc(0))
  const localhost = sequence(
    der(0x82, Buffer.from('localhost')),
    der(0x87, Buffer.of(127, 0, 0, 1)),
  )
  const body = sequence(
    der(0xa0, der(0x02, Buffer.of(2))),
    der(0x02, Buffer.concat([Buffer.of(1), randomBytes(8)])),
    ECDSA_WITH_SHA256,
    nameOf(of.issuer),
    sequence(time(Date.now() - DAY_MS), time(Date.now() + DAY_MS)),
    nameOf(of.subject),
    of.publicKey.export({ type: 'spki', format: 'der' }),
    der(
      0xa3,
      sequence(
        extension(OID.basicConstraints, constraints),
        extension(OID.alternativeNames, localhost),
      ),
    ),
  )
  const signature = Buffer.concat([Buffer.of(0), sign('sha256', body, of.signer)])
  const encoded = sequence(body, ECDSA_WITH_SHA256, der(0x03, signature)).toString('base64')
  const lines = encoded.match(/.{1,64}/g) ?? []
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n')
}

function nameOf(text: string): Buffer {
  const oid = der(0x06, Buffer.from(OID.commonName, 'hex'))
  return sequence(der(0x31, sequence(oid, der(0x0c, Buffer.from(text)))))
}

function extension(oid: string, value: Buffer): Buffer {
  return sequence(der(0x06, Buffer.from(oid, 'hex')), der(0x04, value))
}

/** UTCTime, which serves until 2049. */
function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replaceAll(/[-:T]|\.\d+/g, '')
  return der(0x17, Buffer.from(digits.slice(2)))
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(0x30, Buffer.concat(parts))
}

/** Tag, length, content. */
function der(tag: number, content: Buffer): Buffer {
  const { length } = content
  if (length < 0x80) return Buffer.concat([Buffer.of(tag, length), content])
  const digits = Buffer.from(length.toString(16).padStart(length > 0xff ? 4 : 2, '0'), 'hex')
  return Buffer.concat([Buffer.of(tag, 0x80 | digits.length), digits, content])
}
