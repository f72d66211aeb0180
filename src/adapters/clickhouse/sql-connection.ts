import type { z } from 'zod'
import { HaldaneError } from '../../domain/errors.ts'
import { storeFailure } from './engine-failure.ts'
import { assertHarmless, settingsClause } from './sql-text.ts'

type SqlParam = string | number | readonly string[] | readonly number[]
export type SqlParams = Readonly<Record<string, SqlParam>>
export type SqlSettings = Readonly<Record<string, string | number>>

/** A statement that gives rows: the name goes to errors, `row` checks what leaves the adapter. */
export interface NamedQuery<Row> {
  readonly name: string
  readonly sql: string
  readonly row: z.ZodType<Row>
}

interface InsertSelect {
  readonly name: string
  readonly table: string
  readonly columns: readonly string[]
  readonly select: string
  readonly params?: SqlParams
  readonly settings?: SqlSettings
}

export type SqlValue = string | number | boolean | null

/** A small insert; nothing happens when there are no rows. */
interface InsertRows {
  readonly name: string
  readonly table: string
  /** All with the same columns. Numbers are finite; text stands for what JSON cannot write. */
  readonly rows: readonly Readonly<Record<string, SqlValue>>[]
  /** Columns that may be null: elsewhere the engine would turn null into zero. */
  readonly nullable?: readonly string[]
}

interface InsertBody {
  readonly name: string
  readonly table: string
  readonly columns: readonly string[]
  readonly format: 'RowBinary' | 'JSONEachRow'
  readonly body: readonly (string | Uint8Array)[]
  readonly settings?: SqlSettings
}

/**
 * One connection, one statement at a time in the order of the calls. It is the only place that sends
 * statements; engine settings are written into the statement's own SETTINGS clause.
 */
export interface SqlConnection {
  select<Row>(query: NamedQuery<Row>, params?: SqlParams): Promise<Row[]>
  /** For many rows: each an array of columns, not checked. */
  selectTuples(name: string, sql: string, params?: SqlParams): Promise<unknown[][]>
  /** For people: column names, then one array a row, of one statement that only reads. */
  ask(sql: string): Promise<unknown[][]>
  insertSelect(insert: InsertSelect): Promise<void>
  insertRows(insert: InsertRows): Promise<void>
  /** Rows as they are, in a format of the engine; only where statements may have a body. */
  insertBody(insert: InsertBody): Promise<void>
  /** CREATE, ALTER, DROP. */
  define(name: string, sql: string): Promise<void>
  /** SYSTEM: changes nothing that is stored. */
  system(name: string, sql: string): Promise<void>
  /** Awaits what is queued. Statements sent afterwards reject with `store_unavailable`. */
  close(): Promise<void>
}

type RowFormat = 'JSONEachRow' | 'JSONCompactEachRow' | 'JSONCompactEachRowWithNames'

/** What is used of `@clickhouse/client`; its per-statement settings stay out of reach. */
export interface SqlClient {
  query(statement: {
    query: string
    format: RowFormat
    query_params: Record<string, unknown>
  }): Promise<{ text(): Promise<string> }>
  command(statement: { query: string; query_params: Record<string, unknown> }): Promise<unknown>
  /** A statement and the rows that follow it; missing where a body does not arrive as it was sent. */
  insertBody?(statement: {
    query: string
    body: readonly (string | Uint8Array)[]
  }): Promise<unknown>
  close(): Promise<void>
}

/** Turns whatever a client throws into an error for people; `statement` names what was sent. */
export type ExplainFailure = (thrown: unknown, statement: string) => HaldaneError

// An aborted statement goes on inside the engine and holds its connection, so time is limited there.
const SELECT_SECONDS = 60
const INSERT_SECONDS = 300
const SELECT_SETTINGS = {
  max_execution_time: SELECT_SECONDS,
  output_format_json_quote_64bit_integers: 0,
}
// People ask anything: whatever is not a read is refused by the engine itself.
const ASK_SETTINGS = { ...SELECT_SETTINGS, readonly: 2 }
const INSERT_SETTINGS = { async_insert: 0, max_execution_time: INSERT_SECONDS }
// Fields the table does not have must fail instead of being dropped.
const ROWS_SETTINGS = {
  ...INSERT_SETTINGS,
  input_format_skip_unknown_fields: 0,
  precise_float_parsing: 1,
}

const COLUMN_TYPES = `SELECT name, type FROM system.columns
WHERE database = currentDatabase() AND table = {table:String}`

export function createSqlConnection(
  client: SqlClient,
  explain: ExplainFailure = storeFailure,
): SqlConnection {
  let tail: Promise<unknown> = Promise.resolve()
  let closed = false
  const types = new Map<string, ReadonlyMap<string, string>>()

  function inTurn<T>(name: string, send: () => Promise<T>): Promise<T> {
    if (closed) {
      return Promise.reject(new HaldaneError('store_unavailable', `the store is closed (${name})`))
    }
    const turn = tail.then(send).catch((thrown: unknown) => {
      throw explain(thrown, name)
    })
    tail = turn.catch(() => undefined)
    return turn
  }

  async function insertBody(insert: InsertBody): Promise<void> {
    const { name, table, columns, format, body, settings = {} } = insert
    const clause = settingsClause({ ...INSERT_SETTINGS, ...settings })
    const query = `INSERT INTO ${table} (${listOf(columns)}) SETTINGS ${clause} FORMAT ${format}`
    await inTurn(name, async () => {
      if (client.insertBody === undefined) throw new Error('statements have no body here')
      await client.insertBody({ query, body })
    })
  }

  /** Types of the columns, remembered until a definition may change them; only within a turn. */
  async function typesOf(table: string): Promise<ReadonlyMap<string, string>> {
    const known = types.get(table)
    if (known !== undefined) return known
    const result = await client.query({
      query: COLUMN_TYPES,
      format: 'JSONCompactEachRow',
      query_params: { table },
    })
    const found = new Map(parseLines(await result.text()) as [string, string][])
    if (found.size > 0) types.set(table, found)
    return found
  }

  async function lines(
    name: string,
    sql: string,
    params: SqlParams,
    format: RowFormat,
    settings: SqlSettings = SELECT_SETTINGS,
  ): Promise<unknown[]> {
    assertHarmless(name, sql, 'select')
    const query = `${sql}\nSETTINGS ${settingsClause(settings)}`
    const text = await inTurn(name, async () =>
      (await client.query({ query, format, query_params: { ...params } })).text(),
    )
    return parseLines(text)
  }

  return {
    async select(query, params = {}) {
      const rows = await lines(query.name, query.sql, params, 'JSONEachRow')
      return rows.map((row) => parseRow(query, row))
    },
    async selectTuples(name, sql, params = {}) {
      return (await lines(name, sql, params, 'JSONCompactEachRow')) as unknown[][]
    },
    async ask(sql) {
      const names = await lines('query', sql, {}, 'JSONCompactEachRowWithNames', ASK_SETTINGS)
      return names as unknown[][]
    },
    async insertSelect({ name, table, columns, select, params = {}, settings = {} }) {
      assertHarmless(name, select, 'insert')
      const clause = settingsClause({ ...INSERT_SETTINGS, ...settings })
      const query = `INSERT INTO ${table} (${columns.join(', ')}) SETTINGS ${clause}\n${select}`
      await inTurn(name, () => client.command({ query, query_params: { ...params } }))
    },
    async insertRows(insert) {
      const { name, table, rows } = insert
      const first = rows[0]
      if (first === undefined) return
      const columns = Object.keys(first)
      for (const row of rows) assertComplete(insert, columns, row)
      const list = listOf(columns)
      const body = rows.map((row) => JSON.stringify(row)).join('\n')
      if (client.insertBody !== undefined) {
        const format = 'JSONEachRow'
        return insertBody({ name, table, columns, format, body: [body], settings: ROWS_SETTINGS })
      }
      // As a parameter: to rows in the statement the embedded engine adds what standard input holds.
      const query = `INSERT INTO ${table} (${list}) SETTINGS ${settingsClause(ROWS_SETTINGS)}
SELECT ${list} FROM format(JSONEachRow, {structure:String}, {body:String})`
      await inTurn(name, async () => {
        const known = await typesOf(table)
        const structure = columns.map((column) => `\`${column}\` ${known.get(column) ?? 'String'}`)
        const query_params = { structure: structure.join(', '), body }
        return client.command({ query, query_params })
      })
    },
    insertBody,
    async define(name, sql) {
      assertHarmless(name, sql, 'definition')
      await inTurn(name, () => {
        types.clear()
        return client.command({ query: sql, query_params: {} })
      })
    },
    async system(name, sql) {
      await inTurn(name, () => client.command({ query: sql, query_params: {} }))
    },
    async close() {
      if (closed) return
      closed = true
      await tail
      await client.close()
    },
  }
}

function listOf(columns: readonly string[]): string {
  return columns.map((column) => `\`${column}\``).join(', ')
}

/** One JSON value a line; line ends inside strings are escaped, so the lines join into one array. */
function parseLines(text: string): unknown[] {
  return JSON.parse(`[${text.trimEnd().replaceAll('\n', ',')}]`) as unknown[]
}

function parseRow<Row>(query: NamedQuery<Row>, row: unknown): Row {
  const parsed = query.row.safeParse(row)
  if (parsed.success) return parsed.data
  const fields = parsed.error.issues.map((issue) => issue.path.join('.')).join(', ')
  throw new HaldaneError('internal', `unexpected row from ${query.name}: ${fields}`, {
    cause: parsed.error,
  })
}

/** A missing value, null or a number JSON has no word for would be stored as zero or empty. */
function assertComplete(
  { name, nullable = [] }: InsertRows,
  columns: readonly string[],
  row: Readonly<Record<string, SqlValue>>,
): void {
  const faulty =
    columns.find((column) => !isStorable(row[column], nullable.includes(column))) ??
    Object.keys(row).find((column) => !columns.includes(column))
  if (faulty === undefined) return
  throw new HaldaneError('internal', `row of ${name} not sent: ${faulty} has no value it can store`)
}

function isStorable(value: SqlValue | undefined, nullable: boolean): boolean {
  if (value === undefined) return false
  if (value === null) return nullable
  return typeof value !== 'number' || Number.isFinite(value)
}
