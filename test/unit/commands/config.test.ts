import { describe, expect, it } from 'vitest'
import { runHaldane } from '../../support/run-haldane.ts'

const ENV = { HALDANE_KAFKA_BROKERS: 'kafka:9092', HALDANE_TOKEN: 'a-secret-of-many-letters' }

describe('haldane config', () => {
  it('check says what a worker would use, and exits 0', async () => {
    const { exitCode, stdout, stderr } = await runHaldane(['config', 'check'], { env: ENV })
    expect(stdout).toBe(
      'the configuration is valid: Kafka at kafka:9092 (no TLS, no login), embedded engine in .haldane, HTTP at 127.0.0.1:7625 with a token\n',
    )
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  })

  it('check names every problem on stderr, and exits 2', async () => {
    const env = { HALDANE_HTTP_PORT: 'x', HALDANE_TICK: '5', HALDANE_LOG_LEVEL: 'loud' }
    const { exitCode, stdout, stderr } = await runHaldane(['config', 'check'], { env })
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
    for (const name of Object.keys(env)) expect(stderr).toContain(`${name} is `)
    expect(stderr).toContain('did you mean "HALDANE_TICK_MS"?')
  })

  it('show masks secrets and says where each value is from', async () => {
    const { exitCode, stdout } = await runHaldane(['config', 'show'], { env: ENV })
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/^HALDANE_TOKEN +\*\*\* +environment$/m)
    expect(stdout).toMatch(/^HALDANE_HTTP_PORT +7625 +default$/m)
    expect(stdout).not.toContain('many-letters')
  })

  it('show --json is one object a variable', async () => {
    const { stdout } = await runHaldane(['config', 'show', '--json'], { env: ENV })
    const lines = stdout.trimEnd().split('\n')
    const brokers = lines.map((line) => JSON.parse(line) as { name: string }).at(0)
    expect(brokers).toEqual({
      name: 'HALDANE_KAFKA_BROKERS',
      value: 'kafka:9092',
      source: 'environment',
    })
    expect(stdout).not.toContain('many-letters')
  })
})
