import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { answers, freePort, type TestBroker, waitUntil } from './broker-process.ts'

const run = promisify(execFile)

/**
 * Starts the broker and prints its pid, then its exit code. The broker dies with the process that
 * holds the other end of standard input, however that ends, and its folder goes with it.
 */
const GUARD = `
folder=$1; log=$2; shift 2
exec 3<&0
"$@" >>"$log" 2>&1 </dev/null 3<&- & broker=$!
{ cat <&3 >/dev/null; kill -9 "$broker"; rm -rf "$folder"; } 2>/dev/null & guard=$!
echo "$broker"
wait "$broker"; code=$?
kill "$guard" 2>/dev/null
echo "$code"
`

interface BrokerProcess {
  readonly pid: number
  readonly shell: ChildProcess
  readonly ended: Promise<void>
}

/** A single Apache Kafka node (KRaft) as a Java process on free ports of 127.0.0.1. */
export async function startJavaBroker(
  java: string,
  jars: string,
  settings: Readonly<Record<string, string>>,
): Promise<TestBroker> {
  const folder = await mkdtemp(join(tmpdir(), 'haldane-broker-'))
  const port = await freePort()
  const properties = join(folder, 'server.properties')
  const log = join(folder, 'broker.log')
  const classPath = ['-cp', join(jars, '*')]
  const address = `127.0.0.1:${port}`

  const command = [java, '-Xms256m', '-Xmx512m', ...classPath, 'kafka.Kafka', properties]
  const prepare = async () => {
    const lines = serverProperties(port, await freePort(), join(folder, 'data'), settings)
    await writeFile(properties, lines)
    const tool = [...classPath, 'kafka.tools.StorageTool']
    const id = (await run(java, [...tool, 'random-uuid'])).stdout.trim()
    await run(java, [...tool, 'format', '-t', id, '-c', properties])
    return launch(folder, log, command, address)
  }
  let running: BrokerProcess | null = await prepare().catch(async (error: unknown) => {
    await rm(folder, { recursive: true, force: true })
    throw error
  })

  const end = async (signal: NodeJS.Signals) => {
    const ending = running
    running = null
    if (ending === null) return
    process.kill(ending.pid, 'SIGCONT')
    process.kill(ending.pid, signal)
    await ending.ended
    ending.shell.stdin?.end()
  }
  const signal = async (name: NodeJS.Signals) => {
    if (running === null) throw new Error('the test broker does not run')
    process.kill(running.pid, name)
  }

  return {
    brokers: [address],
    kind: 'java',
    async stop() {
      await end('SIGKILL')
      await rm(folder, { recursive: true, force: true })
    },
    async pause() {
      await signal('SIGSTOP')
      // Its threads stop one after the other.
      if (running !== null) await stopped(running.pid)
    },
    resume: () => signal('SIGCONT'),
    kill: () => end('SIGKILL'),
    async restart() {
      await end('SIGTERM')
      running = await launch(folder, log, command, address)
    },
  }
}

async function stopped(pid: number): Promise<void> {
  await waitUntil(5000, async () => {
    const { stdout } = await run('ps', ['-o', 'stat=', '-p', String(pid)])
    return stdout.startsWith('T')
  })
}

async function launch(
  folder: string,
  log: string,
  command: readonly string[],
  address: string,
): Promise<BrokerProcess> {
  const shell = spawn('sh', ['-c', GUARD, 'broker', folder, log, ...command], {
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  const lines = createInterface({ input: shell.stdout })
  const [pid] = (await once(lines, 'line')) as [string]
  let over = false
  const ended = once(lines, 'line').then(() => {
    over = true
  })
  await waitUntil(60_000, async () => over || (await answers(address)))
  if (!over && (await answers(address))) return { pid: Number(pid), shell, ended }

  const tail = (await readFile(log, 'utf8')).split('\n').slice(-15).join('\n')
  shell.stdin.end()
  throw new Error(`the Kafka test broker did not start; the end of its log:\n${tail}`)
}

function serverProperties(
  port: number,
  controllerPort: number,
  data: string,
  settings: Readonly<Record<string, string>>,
): string {
  const properties = {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'log.dirs': data,
    ...settings,
  }
  return Object.entries(properties)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('')
}
