import { mkdir, open, readdir, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { type RowBinaryInsert, rowBinarySettings } from './engine.ts'
import { storeFailure } from './engine-failure.ts'
import type { SqlConnection } from './sql-connection.ts'

export interface RowBinarySpool {
  insert(insert: RowBinaryInsert): Promise<void>
}

/**
 * The embedded engine takes binary rows only from a file: its clients pass statement bodies through
 * UTF-8. Call it when the engine is open, and with that the directory is ours: files that a killed
 * process left behind are removed.
 */
export async function openRowBinarySpool(
  directory: string,
  connection: SqlConnection,
): Promise<RowBinarySpool> {
  await mkdir(directory, { recursive: true })
  for (const name of await readdir(directory)) {
    if (name.endsWith(SUFFIX)) await unlink(join(directory, name))
  }
  let written = 0
  return {
    async insert(insert) {
      const path = join(directory, `${process.pid}-${written++}${SUFFIX}`)
      try {
        await writeChunks(path, insert.chunks)
        await connection.insertSelect({
          name: insert.name,
          table: insert.table,
          columns: insert.columns.map(([column]) => column),
          select: "SELECT * FROM file({path:String}, 'RowBinary', {structure:String})",
          params: { path, structure: structureOf(insert) },
          settings: rowBinarySettings(insert),
        })
      } catch (thrown) {
        throw storeFailure(thrown, insert.name)
      } finally {
        await unlink(path).catch(() => undefined)
      }
    },
  }
}

const SUFFIX = '.rowbinary'

/**
 * All chunks with one call: `writeFile` would come back to the event loop for every half megabyte,
 * and wait each time until the next records are read.
 */
async function writeChunks(path: string, chunks: readonly Uint8Array[]): Promise<void> {
  const file = await open(path, 'w')
  try {
    let rest = [...chunks]
    while (rest.length > 0) {
      const { bytesWritten } = await file.writev(rest)
      rest = withoutFirst(rest, bytesWritten)
    }
  } finally {
    await file.close()
  }
}

function withoutFirst(chunks: readonly Uint8Array[], bytes: number): Uint8Array[] {
  let skip = bytes
  return chunks.flatMap((chunk) => {
    const skipped = Math.min(skip, chunk.byteLength)
    skip -= skipped
    return skipped === chunk.byteLength ? [] : [chunk.subarray(skipped)]
  })
}

function structureOf(insert: RowBinaryInsert): string {
  return insert.columns.map(([column, type]) => `${column} ${type}`).join(', ')
}
