import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { answers, freePorts, type TestBroker, waitUntil } from './broker-process.ts'

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

/** In the minute a test needs a broker, compiling it well costs more than it gives. */
const QUICK_START = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC']

/** What a broker has beside the plain listener. */
export interface BrokerExtras {
  /** Security protocol by name. */
  readonly listeners: Readonly<Record<string, string>>
  /** `SCRAM-SHA-512=[name=…,password=…]` each. */
  readonly scramUsers: readonly string[]
  /** The JVM compiles as well as it can: for measurements. */
  readonly fullSpeed?: boolean
}

export interface JavaBroker extends TestBroker {
  /** `host:port` of a listener of the extras. */
  address(listener: string): string
}

interface Listener {
  readonly name: string
  readonly protocol: string
  readonly port: number
}

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
  extras: BrokerExtras,
): Promise<JavaBroker> {
  const folder = await mkdtemp(join(tmpdir(), 'haldane-broker-'))
  const listeners = await listenersOf(extras)
  const [{ port }] = listeners
  const properties = join(folder, 'server.properties')
  const log = join(folder, 'broker.log')
  const classPath = ['-cp', join(jars, '*')]
  const address = `127.0.0.1:${port}`
  const jvm = extras.fullSpeed === true ? [] : QUICK_START

  const command = [java, ...jvm, '-Xms256m', '-Xmx512m', ...classPath, 'kafka.Kafka', properties]
  const prepare = async () => {
    const lines = serverProperties(listeners, join(folder, 'data'), settings)
    await writeFile(properties, lines)
    const users = extras.scramUsers.flatMap((user) => ['--add-scram', user])
    const tool = [...QUICK_START, ...classPath, 'kafka.tools.StorageTool']
    await run(java, [...tool, 'format', '-t', clusterId(), '-c', properties, ...users])
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
    address(name) {
      const found = listeners.find((listener) => listener.name === name.toUpperCase())
      if (found === undefined) throw new Error(`the test broker has no listener ${name}`)
      return `127.0.0.1:${found.port}`
    },
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

/** A UUID as Kafka writes it; never with a leading dash, which the tool would take for an option. */
function clusterId(): string {
  const bytes = randomBytes(16)
  bytes[0] = (bytes[0] ?? 0) & 0x7f
  return bytes.toString('base64url')
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

/** The plain one first, then the controller's. */
async function listenersOf(extras: BrokerExtras): Promise<[Listener, Listener, ...Listener[]]> {
  const others = Object.entries(extras.listeners)
  const [plain = 0, controller = 0, ...ports] = await freePorts(2 + others.length)
  return [
    { name: 'PLAINTEXT', protocol: 'PLAINTEXT', port: plain },
    { name: 'CONTROLLER', protocol: 'PLAINTEXT', port: controller },
    ...others.map(([name, protocol], index) => ({
      ...{ name: name.toUpperCase(), protocol, port: ports[index] ?? 0 },
    })),
  ]
}

function serverProperties(
  listeners: readonly [Listener, Listener, ...Listener[]],
  data: string,
  settings: Readonly<Record<string, string>>,
): string {
  const [plain, controller, ...others] = listeners
  const addresses = (of: readonly Listener[]) =>
    of.map(({ name, port }) => `${name}://127.0.0.1:${port}`).join(',')
  const properties = {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${controller.port}`,
    listeners: addresses(listeners),
    'advertised.listeners': addresses([plain, ...others]),
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': listeners.map((of) => `${of.name}:${of.protocol}`).join(','),
    'log.dirs': data,
    ...settings,
  }
  return Object.entries(properties)
    .map(([key, value]) => `${key}=${value.replaceAll('\n', '\\n')}\n`)
    .join('')
}
