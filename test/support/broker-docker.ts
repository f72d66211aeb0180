import { GenericContainer, getContainerRuntimeClient, Wait } from 'testcontainers'
import { answers, freePort, type TestBroker, waitUntil } from './broker-process.ts'

const IMAGE = 'apache/kafka:4.1.0'
const CONTROLLER_PORT = 9093

export async function isDockerRunning(): Promise<boolean> {
  return getContainerRuntimeClient().then(
    () => true,
    () => false,
  )
}

/** A single Apache Kafka node (KRaft) in a container, on a free port of this machine. */
export async function startDockerBroker(
  settings: Readonly<Record<string, string>>,
): Promise<TestBroker> {
  const port = await freePort()
  const container = await new GenericContainer(IMAGE)
    // A fixed port: the broker tells clients its own address, also after a restart.
    .withExposedPorts({ container: port, host: port })
    .withEnvironment(environment(port, settings))
    .withWaitStrategy(Wait.forLogMessage(/Kafka Server started/))
    .withStartupTimeout(180_000)
    .start()
  const address = `${container.getHost()}:${port}`
  const client = await getContainerRuntimeClient()
  const control = client.container.getById(container.getId())

  const isUp = async () => (await control.inspect()).State.Running
  return {
    brokers: [address],
    kind: 'docker',
    async stop() {
      await container.stop({ remove: true, removeVolumes: true })
    },
    pause: () => control.pause(),
    resume: () => control.unpause(),
    kill: () => control.kill(),
    async restart() {
      if (await isUp()) await control.stop()
      await control.start()
      await waitUntil(60_000, () => answers(address))
    },
  }
}

function environment(
  port: number,
  settings: Readonly<Record<string, string>>,
): Record<string, string> {
  const properties: Record<string, string> = {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@localhost:${CONTROLLER_PORT}`,
    listeners: `PLAINTEXT://:${port},CONTROLLER://:${CONTROLLER_PORT}`,
    'advertised.listeners': `PLAINTEXT://localhost:${port}`,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    ...settings,
  }
  return Object.fromEntries(
    Object.entries(properties).map(([key, value]) => [
      `KAFKA_${key.toUpperCase().replaceAll('.', '_')}`,
      value,
    ]),
  )
}
