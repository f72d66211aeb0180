import type { SqlConnection, SqlSettings } from './sql-connection.ts'

/** Rows in RowBinary on their way into a table. */
export interface RowBinaryInsert {
  readonly name: string
  readonly table: string
  readonly columns: readonly (readonly [name: string, type: string])[]
  readonly rows: number
  /** The rows, one after the other. */
  readonly chunks: readonly Uint8Array[]
  /** Of two inserts with the same word the engine takes one; null: it takes whatever comes. */
  readonly token: string | null
}

/**
 * What differs between ClickHouse in the process and ClickHouse on a server: how it is opened and how
 * RowBinary gets into it. Everything else of the store is SQL over these connections.
 */
export interface Engine {
  /** Other processes may write into the same tables; false where the engine belongs to this one. */
  readonly isShared: boolean
  readonly ingest: SqlConnection
  readonly analysis: SqlConnection
  /** For asking whether the engine answers, without waiting behind anything where that can be had. */
  readonly probe: SqlConnection
  /** One statement on the ingest connection; each table partition gets one part, whole or not at all. */
  insertRowBinary(insert: RowBinaryInsert): Promise<void>
  /** Gives memory that statements have left to the system; without effect where it is not ours. */
  releaseMemory(): Promise<void>
  /** Awaits statements in flight and releases the store. */
  close(): Promise<void>
}

/**
 * All rows read, joined and written as one block: one part per table partition, and so the token,
 * which counts per block and table partition, stands for all of them.
 */
export function rowBinarySettings({ rows, token }: RowBinaryInsert): SqlSettings {
  return {
    input_format_parallel_parsing: 0,
    max_threads: 1,
    max_insert_threads: 1,
    max_block_size: rows,
    max_insert_block_size: rows,
    min_insert_block_size_rows: rows,
    min_insert_block_size_bytes: 0,
    max_partitions_per_insert_block: 0,
    // Without a word rows come only to an engine of our own: newer servers compare contents even so.
    ...(token === null ? { insert_deduplicate: 0 } : { insert_deduplication_token: token }),
  }
}
