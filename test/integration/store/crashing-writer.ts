// Run by crash.test.ts and killed at any moment: stores what is missing of a fixed stream of events,
// and closes the blocks whose events are all stored. Arguments: data directory, seed.
import { openEmbeddedStore } from '../../../src/adapters/clickhouse/embedded-store.ts'
import { silentLog, wallClock } from '../../support/temp-store.ts'
import { CRASH_BLOCKS, crashRows, crashSpec } from './crash-stream.ts'

const [dataDir = '', seed = '0'] = process.argv.slice(2)
const store = await openEmbeddedStore({ dataDir, clock: wallClock, log: silentLog })
await store.migrate()
process.stdout.write('open\n')

const rows = crashRows(Number(seed))
const present = new Set(await store.presentOffsets('crash', 0, 0))
const missing = rows.filter(({ place }) => !present.has(place.offset))
const lengthMs = crashSpec.blocks.lengthMs
const fromMs = crashSpec.firstMs
for (let block = 0; block < CRASH_BLOCKS; block += 5) {
  const toMs = fromMs + Math.min(CRASH_BLOCKS, block + 5) * lengthMs
  const due = missing.filter(
    ({ event }) => event.occurredAtMs < toMs && event.occurredAtMs >= toMs - 5 * lengthMs,
  )
  const batch = store.newBatch()
  for (const { event, place } of due) batch.add(event, place)
  await store.insertEvents(batch)
  await store.closeBlocks({ releaseId: 'crash', spec: crashSpec.spec, fromMs, toMs })
}
await store.close()
process.stdout.write('done\n')
