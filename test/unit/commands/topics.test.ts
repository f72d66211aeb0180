import { describe, expect, it } from 'vitest'
import { runHaldane } from '../../support/run-haldane.ts'

describe('haldane topics create', () => {
  it('needs a Kafka', async () => {
    const { exitCode, stderr } = await runHaldane(['topics', 'create'], {
      env: { HALDANE_KAFKA_BROKERS: '' },
    })
    expect(exitCode).toBe(2)
    expect(stderr).toContain('HALDANE_KAFKA_BROKERS is not set')
  })

  it.each(['0', '-1', '1.5', 'six', '10001'])('refuses %s partitions', async (count) => {
    const { exitCode, stderr } = await runHaldane(['topics', 'create', `--partitions=${count}`])
    expect(exitCode).toBe(2)
    expect(stderr).toContain(`--partitions: "${count}" is no count`)
  })
})
