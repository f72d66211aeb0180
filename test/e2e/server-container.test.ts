import { afterAll, describe, it } from 'vitest'
import { openServerStore } from '../../src/adapters/clickhouse/server-store.ts'
import { systemClock } from '../../src/adapters/ops/clock.ts'
import { describeStore } from '../contract/store.contract.ts'
import { isDockerRunning } from '../support/broker-docker.ts'
import { type ServerContainer, startServerContainer } from '../support/clickhouse-docker.ts'
import { silentLog } from '../support/temp-store.ts'

const hasDocker = await isDockerRunning()
const REASON = 'no Docker daemon answers, so the store was not tried on a real ClickHouse server'

let container: ServerContainer | null = null
afterAll(() => container?.stop())

if (hasDocker) {
  describeStore('store on a real server', async () => {
    container = await startServerContainer()
    const { url, username, password } = container
    const store = openServerStore({
      server: { url, username, password, database: 'haldane', ca: null },
      clock: systemClock,
      log: silentLog,
    })
    await store.migrate()
    return store
  })
} else {
  describe('store on a real server', () => {
    it('keeps the contract', ({ skip }) => {
      if (process.env['HALDANE_TEST_DOCKER'] === 'required') throw new Error(REASON)
      skip(REASON)
    })
  })
}
