import { createRequire } from 'node:module'
import type { AuthenticationProviderArgs, Authenticator, Mechanism } from 'kafkajs'

export interface KafkaLogin {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
  readonly username: string
  readonly password: string
}

type Provider = (args: AuthenticationProviderArgs) => Authenticator
type ProviderOf = (login: { username: string; password: string }) => Provider

const PROVIDER_FILES = {
  plain: 'plain',
  'scram-sha-256': 'scram256',
  'scram-sha-512': 'scram512',
} as const

/**
 * As kafkajs' own login, but it can tell a refusal from a connection that was lost on the way:
 * kafkajs 2.2.4 calls both a failed authentication, which it never tries again.
 */
export function saslOptions({ mechanism, username, password }: KafkaLogin): Mechanism {
  const load = createRequire(import.meta.url)
  const file = `kafkajs/src/broker/saslAuthenticator/${PROVIDER_FILES[mechanism]}`
  const provider = (load(file) as ProviderOf)({ username, password })
  return { mechanism, authenticationProvider: (args) => telling(provider, args) }
}

function telling(provider: Provider, args: AuthenticationProviderArgs): Authenticator {
  return {
    async authenticate() {
      const lost: unknown[] = []
      const saslAuthenticate: AuthenticationProviderArgs['saslAuthenticate'] = async (exchange) => {
        try {
          return await args.saslAuthenticate(exchange)
        } catch (thrown) {
          if ((thrown as { retriable?: boolean }).retriable === true) lost.push(thrown)
          throw thrown
        }
      }
      try {
        await provider({ ...args, saslAuthenticate }).authenticate()
      } catch (thrown) {
        throw lost[0] ?? thrown
      }
    },
  }
}
