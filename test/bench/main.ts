import { startBroker } from '../support/broker.ts'
import { benchIngest } from './ingest.ts'

const broker = await startBroker()
try {
  console.log(await benchIngest(broker.brokers, Number(process.argv[2] ?? 500000), console.error))
} finally {
  await broker.stop()
}
