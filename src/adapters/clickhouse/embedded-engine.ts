import { access, constants, mkdir, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { HaldaneError } from '../../domain/errors.ts'
import type { Engine } from './engine.ts'
import { openRowBinarySpool } from './row-binary-spool.ts'
import { createSqlConnection, type SqlClient, type SqlConnection } from './sql-connection.ts'

const DATABASE = 'haldane'

/** Opens a client on an engine directory; rejects when the directory is taken. */
export type OpenClient = (directory: string) => SqlClient

/** Imported only here and only now: the engine is an optional dependency of 500 MB. */
async function loadEmbeddedClient(): Promise<OpenClient> {
  const { createClient } = await import('@clickhouse/client')
  const { createChdbConnection } = await import('chdb/connection')
  type Connection = NonNullable<NonNullable<Parameters<typeof createClient>[0]>['connection']>
  return (directory) => {
    // The two packages carry the same types in two copies, which differ in optional fields only.
    const connection = createChdbConnection({ path: directory }) as unknown as Connection
    return createClient({ connection }) as SqlClient
  }
}

/**
 * ClickHouse inside this process, on a directory that belongs to it alone. Two connections, so that
 * a long query never waits in front of an insert. Throws `missing_dependency`, `data_dir_locked`,
 * `store_unavailable`.
 */
export async function openEmbeddedEngine(
  dataDir: string,
  load: () => Promise<OpenClient> = loadEmbeddedClient,
): Promise<Engine> {
  const root = resolve(dataDir)
  if (/[*?{}]/.test(root)) {
    throw new HaldaneError('usage', `the data directory ${root} has one of * ? { } in its path`, {
      remedy: 'choose a path without them: the engine reads them as wildcards',
    })
  }
  const open = await load().catch(explainMissing)
  const directory = join(root, 'clickhouse')
  await mkdir(directory, { recursive: true }).catch((cause: unknown) => {
    throw new HaldaneError('store_unavailable', `cannot create the data directory ${root}`, {
      remedy: 'choose a directory this user may write to (HALDANE_DATA_DIR)',
      cause,
    })
  })
  const connections: SqlConnection[] = []
  const closeAll = async () => {
    for (const connection of connections) await connection.close()
  }
  try {
    const ingest = await connect(open, directory, connections)
    const analysis = await connect(open, directory, connections)
    const spool = await openRowBinarySpool(join(root, 'spool'), ingest)
    return {
      ...{
        isShared: false,
        ingest,
        analysis,
        probe: analysis,
        insertRowBinary: spool.insert,
        close: closeAll,
      },
      releaseMemory: () => analysis.system('release_memory', 'SYSTEM JEMALLOC PURGE'),
    }
  } catch (thrown) {
    await closeAll()
    throw thrown
  }
}

async function connect(
  open: OpenClient,
  directory: string,
  connections: SqlConnection[],
): Promise<SqlConnection> {
  let client: SqlClient
  try {
    client = open(directory)
  } catch (cause) {
    throw await explainRefusal(directory, cause)
  }
  const connection = createSqlConnection(client)
  connections.push(connection)
  await connection.define(
    'create_database',
    `CREATE DATABASE IF NOT EXISTS ${DATABASE} ENGINE = Atomic`,
  )
  await connection.define('use_database', `USE ${DATABASE}`)
  return connection
}

function explainMissing(cause: unknown): never {
  const text = cause instanceof Error ? cause.message : String(cause)
  throw new HaldaneError(
    'missing_dependency',
    `the embedded store needs the package chdb, which is not installed or does not run here: ${text}`,
    {
      remedy:
        'run `npm install` without --omit=optional (it runs on Linux and macOS, x64 and arm64), or name a server with HALDANE_CLICKHOUSE_URL',
      cause,
    },
  )
}

/** The engine says only that it failed; its `status` file names the process that has the directory. */
async function explainRefusal(directory: string, cause: unknown): Promise<HaldaneError> {
  const text = cause instanceof Error ? cause.message : String(cause)
  if (text.includes('only one active data directory per process')) {
    return new HaldaneError(
      'data_dir_locked',
      `this process already has another data directory open: ${text}`,
      {
        remedy: 'close the other store first; one process has one data directory',
        cause,
      },
    )
  }
  const status = await readFile(join(directory, 'status'), 'utf8').catch(() => '')
  const holder = /^PID: (\d+)/m.exec(status)?.[1]
  if (holder === undefined || !(await isWritable(directory))) {
    return new HaldaneError(
      'store_unavailable',
      `cannot open the data directory ${directory}: ${text}`,
      {
        remedy: 'check that this user may write to it and that its disk has space',
        cause,
      },
    )
  }
  return new HaldaneError(
    'data_dir_locked',
    `the data directory ${directory} is in use by another process (pid ${holder})`,
    {
      remedy: 'stop that process, or choose another directory with HALDANE_DATA_DIR',
      cause,
    },
  )
}

async function isWritable(directory: string): Promise<boolean> {
  return access(directory, constants.W_OK).then(
    () => true,
    () => false,
  )
}
