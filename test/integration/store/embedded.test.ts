import { openEmbeddedStore } from '../../../src/adapters/clickhouse/embedded-store.ts'
import { describeStore } from '../../contract/store.contract.ts'
import { silentLog, wallClock, withTempDir } from '../../support/temp-store.ts'

let dataDir = ''
withTempDir((directory) => {
  dataDir = directory
})

describeStore('embedded store', async () => {
  const store = await openEmbeddedStore({ dataDir, clock: wallClock, log: silentLog })
  await store.migrate()
  return store
})
