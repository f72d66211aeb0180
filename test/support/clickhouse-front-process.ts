import { startClickHouseFront } from './clickhouse-front.ts'

// node --import tsx test/support/clickhouse-front-process.ts DATA_DIR [PASSWORD] [PORT]
// Prints its address when it listens; ends with the process that holds its standard input.
const [dataDir = '', password = '', port = '0'] = process.argv.slice(2)
const front = await startClickHouseFront({ dataDir, password, port: Number(port) })
process.stdout.write(`${front.url}\n`)
process.stdin.resume()
process.stdin.once('end', () => process.exit(0))
