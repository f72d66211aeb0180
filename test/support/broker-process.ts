import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { Kafka, logLevel } from 'kafkajs'

/** A real Kafka broker for tests and benchmarks. */
export interface TestBroker {
  /** `host:port` each. */
  readonly brokers: string[]
  readonly kind: 'environment' | 'docker' | 'java'
  /** Ends the broker and removes its data; leaves a broker of the environment alone. */
  stop(): Promise<void>
  /** Freezes the broker: connections stay open, nothing is answered. */
  pause(): Promise<void>
  resume(): Promise<void>
  /** Ends the broker at once, as a crash would. */
  kill(): Promise<void>
  /** Starts it again on the same data and address, after a clean shutdown if it still runs. */
  restart(): Promise<void>
}

/** True when a broker at the address answers and has a controller. */
export async function answers(address: string): Promise<boolean> {
  const admin = new Kafka({
    brokers: [address],
    logLevel: logLevel.NOTHING,
    requestTimeout: 2000,
    retry: { retries: 0 },
  }).admin()
  try {
    await admin.connect()
    return (await admin.describeCluster()).controller !== null
  } catch {
    return false
  } finally {
    await admin.disconnect()
  }
}

/** Resolves when the condition holds, or when the time is over. */
export async function waitUntil(
  limitMs: number,
  condition: () => Promise<boolean>,
): Promise<boolean> {
  const end = Date.now() + limitMs
  for (;;) {
    if (await condition()) return true
    if (Date.now() > end) return false
    await sleep(100)
  }
}

/** A port of 127.0.0.1 that nobody listens on. */
export async function freePort(): Promise<number> {
  const [port = 0] = await freePorts(1)
  return port
}

/** As many ports, all different: each is held until the last one is found. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map((server) => once(server, 'listening')))
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(servers.map((server) => once(server.close(), 'close')))
  return ports
}
