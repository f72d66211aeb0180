import type { AuthenticationProviderArgs } from 'kafkajs'
import { describe, expect, it } from 'vitest'
import { saslOptions } from '../../../../src/adapters/kafka/login.ts'

const quiet = { debug: () => undefined, error: () => undefined }
const MECHANISMS = ['plain', 'scram-sha-256', 'scram-sha-512'] as const

/** What a login throws when the broker answers the first message like this. */
function failureOf(mechanism: (typeof MECHANISMS)[number], error: Error): Promise<unknown> {
  const { authenticationProvider } = saslOptions({ mechanism, username: 'me', password: 'secret' })
  const args = {
    ...{ host: 'kafka', port: 9093, logger: quiet },
    saslAuthenticate: () => Promise.reject(error),
  }
  const login = authenticationProvider(args as unknown as AuthenticationProviderArgs)
  return login.authenticate().then(
    () => null,
    (thrown: unknown) => thrown,
  )
}

describe.each(MECHANISMS)('a login with %s', (mechanism) => {
  it('that loses its connection may be tried again', async () => {
    const lost = Object.assign(new Error('Closed connection'), { retriable: true })
    expect(await failureOf(mechanism, lost)).toBe(lost)
  })

  it('that is refused is refused', async () => {
    const refused = Object.assign(new Error('invalid credentials'), { retriable: false })
    expect(await failureOf(mechanism, refused)).toMatchObject({
      name: 'KafkaJSSASLAuthenticationError',
      retriable: false,
    })
  })
})
