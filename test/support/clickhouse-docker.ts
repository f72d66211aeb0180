import { GenericContainer, Wait } from 'testcontainers'

/** The engine that chdb embeds, as a server. */
const IMAGE = 'clickhouse/clickhouse-server:26.7'

export interface ServerContainer {
  readonly url: string
  readonly username: string
  readonly password: string
  stop(): Promise<void>
}

/** A single ClickHouse server in a container, with one user and no database of ours. */
export async function startServerContainer(): Promise<ServerContainer> {
  const [username, password] = ['haldane', 'of the container']
  const container = await new GenericContainer(IMAGE)
    .withExposedPorts(8123)
    .withEnvironment({
      CLICKHOUSE_USER: username,
      CLICKHOUSE_PASSWORD: password,
      CLICKHOUSE_DEFAULT_ACCESS_MANAGEMENT: '1',
    })
    .withWaitStrategy(Wait.forHttp('/ping', 8123))
    .withStartupTimeout(180_000)
    .start()
  return {
    url: `http://${container.getHost()}:${container.getMappedPort(8123)}`,
    username,
    password,
    async stop() {
      await container.stop({ remove: true, removeVolumes: true })
    },
  }
}
