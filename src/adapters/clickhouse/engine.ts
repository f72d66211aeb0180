import type { SqlConnection } from './sql-connection.ts'

/** Rows in RowBinary on their way into a table. */
export interface RowBinaryInsert {
  readonly name: string
  readonly table: string
  readonly columns: readonly (readonly [name: string, type: string])[]
  readonly rows: number
  /** The rows, one after the other. */
  readonly chunks: readonly Uint8Array[]
}

/**
 * What differs between ClickHouse in the process and ClickHouse on a server: how it is opened and how
 * RowBinary gets into it. Everything else of the store is SQL over these connections.
 */
export interface Engine {
  readonly ingest: SqlConnection
  readonly analysis: SqlConnection
  /** One statement on the ingest connection; each table partition gets one part, whole or not at all. */
  insertRowBinary(insert: RowBinaryInsert): Promise<void>
  /** Gives memory that statements have left to the system; without effect where it is not ours. */
  releaseMemory(): Promise<void>
  /** Awaits statements in flight and releases the store. */
  close(): Promise<void>
}
