import { afterAll } from 'vitest'
import { openServerStore } from '../../../src/adapters/clickhouse/server-store.ts'
import { systemClock } from '../../../src/adapters/ops/clock.ts'
import { describeStore } from '../../contract/store.contract.ts'
import { type ClickHouseFront, startClickHouseFront } from '../../support/clickhouse-front.ts'
import { silentLog, withTempDir } from '../../support/temp-store.ts'

const PASSWORD = "a 'word' with \\ : and ü"
let front: ClickHouseFront | null = null
withTempDir(async (dataDir) => {
  front = await startClickHouseFront({ dataDir, password: PASSWORD })
})
afterAll(() => front?.close())

describeStore('store on a server', async () => {
  const store = openServerStore({
    server: {
      ...{ url: front?.url ?? '', database: 'haldane', username: 'default' },
      ...{ password: PASSWORD, ca: null },
    },
    clock: systemClock,
    log: silentLog,
  })
  await store.migrate()
  return store
})
