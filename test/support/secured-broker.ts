import { startPreparedBroker } from './broker.ts'
import type { JavaBroker } from './broker-java.ts'
import { createAuthority, type TestAuthority, type TestIdentity } from './certificates.ts'

export const USER = 'haldane'
export const PASSWORD = 'p/ss word; of=the test'

/** Where a client gets in, by what it must bring along. */
export const LISTENERS = {
  /** A login in the clear. */
  login: 'SASL_PLAINTEXT',
  /** TLS, no login. */
  tls: 'SSL',
  /** TLS with a certificate of the client, no login. */
  mutual: 'SSL',
  /** TLS and a login. */
  both: 'SASL_SSL',
} as const

export interface SecuredBroker {
  readonly broker: JavaBroker
  readonly authority: TestAuthority
}

/**
 * A broker with the listeners above beside its plain one, whose nameless users may do everything;
 * `USER` may log in with each mechanism, and may do only what access control lists allow.
 */
export async function startSecuredBroker(): Promise<SecuredBroker> {
  const authority = createAuthority()
  const identity = authority.issue('broker')
  const broker = await startPreparedBroker(settingsOf(authority, identity), {
    listeners: LISTENERS,
    scramUsers: ['SCRAM-SHA-256', 'SCRAM-SHA-512'].map(
      (mechanism) => `${mechanism}=[name="${USER}",password="${PASSWORD}"]`,
    ),
  })
  return { broker, authority }
}

function settingsOf(
  authority: TestAuthority,
  { cert, key }: TestIdentity,
): Readonly<Record<string, string>> {
  const settings: Record<string, string> = {
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'super.users': 'User:ANONYMOUS',
    'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
    'connection.failed.authentication.delay.ms': '10',
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.certificate.chain': cert,
    'ssl.keystore.key': key,
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.certificates': authority.ca,
    'listener.name.mutual.ssl.client.auth': 'required',
  }
  const modules = 'org.apache.kafka.common.security'
  for (const listener of ['login', 'both']) {
    const of = (mechanism: string) => `listener.name.${listener}.${mechanism}.sasl.jaas.config`
    for (const mechanism of ['scram-sha-256', 'scram-sha-512']) {
      settings[of(mechanism)] = `${modules}.scram.ScramLoginModule required;`
    }
    const user = `user_${USER}="${PASSWORD}"`
    settings[of('plain')] = `${modules}.plain.PlainLoginModule required ${user};`
  }
  return settings
}
