import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import {
  createSqlConnection,
  type SqlClient,
} from '../../../../src/adapters/clickhouse/sql-connection.ts'

interface Sent {
  readonly query: string
  readonly rest: readonly string[]
  readonly params: Readonly<Record<string, unknown>>
}

/** Notes what is sent; answers with the text, or fails. */
function fakeClient(answer: string | Error = ''): {
  client: SqlClient
  sent: Sent[]
  closes: number[]
} {
  const sent: Sent[] = []
  const closes: number[] = []
  const note = (statement: { query: string; query_params: Record<string, unknown> }) => {
    const { query, ...rest } = statement
    sent.push({ query, rest: Object.keys(rest).sort(), params: rest.query_params })
    if (answer instanceof Error) throw answer
  }
  const client: SqlClient = {
    query: async (statement) => {
      note(statement)
      return { text: async () => String(answer) }
    },
    command: async (statement) => note(statement),
    close: async () => {
      closes.push(sent.length)
    },
  }
  return { client, sent, closes }
}

const ONE = { name: 'one', sql: 'SELECT 1 AS a', row: z.object({ a: z.int() }) }

describe('a connection', () => {
  it('writes settings into the statement and sends none beside it', async () => {
    const { client, sent } = fakeClient('{"a":1}\n')
    const connection = createSqlConnection(client)
    await connection.select(ONE, { x: 1 })
    await connection.selectTuples('tuples', 'SELECT 1')
    await connection.insertSelect({
      name: 'copy',
      table: 't',
      columns: ['a', 'b'],
      select: 'SELECT 1, 2',
      settings: { max_threads: 1 },
    })
    await connection.insertRows({ name: 'rows', table: 't', rows: [{ a: 1 }] })
    await connection.define('table', 'CREATE TABLE t (a UInt8) ENGINE = Memory')
    for (const { rest } of sent) {
      expect(['query_params', 'format,query_params']).toContain(rest.join(','))
    }
    expect(sent[0]?.query).toMatch(/^SELECT 1 AS a\nSETTINGS max_execution_time = 60, /)
    expect(sent[2]?.query).toBe(
      'INSERT INTO t (a, b) SETTINGS async_insert = 0, max_execution_time = 300, max_threads = 1\nSELECT 1, 2',
    )
    expect(sent[4]?.query).toMatch(/^INSERT INTO t \(`a`\) SETTINGS async_insert = 0, /)
  })

  it('sends rows as a parameter, never in the statement, with the types of the columns', async () => {
    const { client, sent } = fakeClient('["a","Nullable(UInt8)"]\n["b","String"]\n')
    const connection = createSqlConnection(client)
    const rows = [{ a: null }, { a: 2 }]
    for (const name of ['first', 'second']) {
      await connection.insertRows({ name, table: 't', rows, nullable: ['a'] })
    }
    const inserts = sent.filter(({ query }) => query.startsWith('INSERT'))
    // The types are asked for once.
    expect([sent.length, inserts.length]).toEqual([3, 2])
    for (const { query, params } of inserts) {
      expect(query).toMatch(
        /\nSELECT `a` FROM format\(JSONEachRow, \{structure:String\}, \{body:String\}\)$/,
      )
      expect(params).toEqual({ structure: '`a` Nullable(UInt8)', body: '{"a":null}\n{"a":2}' })
    }
    await connection.define('change', 'ALTER TABLE t MODIFY COLUMN a UInt8')
    await connection.insertRows({ name: 'third', table: 't', rows, nullable: ['a'] })
    expect(sent).toHaveLength(6)
  })

  it('sends one statement at a time, in the order of the calls, also after a failure', async () => {
    const order: string[] = []
    let running = 0
    const client: SqlClient = {
      query: async ({ query }) => {
        expect(++running).toBe(1)
        await new Promise((resolve) => setImmediate(resolve))
        running--
        order.push(query.slice(7, 8))
        if (query.startsWith('SELECT 2')) throw new Error('no')
        return { text: async () => '' }
      },
      command: async () => undefined,
      close: async () => undefined,
    }
    const connection = createSqlConnection(client)
    const results = await Promise.allSettled(
      ['1', '2', '3'].map((n) => connection.selectTuples('n', `SELECT ${n}`)),
    )
    expect(order).toEqual(['1', '2', '3'])
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  })

  it('closes when what was sent is done, and takes nothing afterwards', async () => {
    const { client, sent, closes } = fakeClient('')
    const connection = createSqlConnection(client)
    const running = connection.selectTuples('n', 'SELECT 1')
    await Promise.all([connection.close(), connection.close(), running])
    expect(closes).toEqual([1])
    await expect(connection.selectTuples('n', 'SELECT 1')).rejects.toMatchObject({
      code: 'store_unavailable',
    })
    expect(sent).toHaveLength(1)
  })

  it('checks rows before they leave the adapter', async () => {
    const { client } = fakeClient('{"a":"1"}\n')
    await expect(createSqlConnection(client).select(ONE)).rejects.toMatchObject({
      code: 'internal',
      message: 'unexpected row from one: a',
    })
  })

  it('reads lines whose strings hold line ends and commas', async () => {
    const { client } = fakeClient('["a\\nb,"]\n["c"]\n')
    expect(await createSqlConnection(client).selectTuples('n', 'SELECT 1')).toEqual([
      ['a\nb,'],
      ['c'],
    ])
  })

  it('sends nothing for no rows', async () => {
    const { client, sent } = fakeClient()
    await createSqlConnection(client).insertRows({ name: 'n', table: 't', rows: [] })
    expect(sent).toEqual([])
  })

  it.each([
    ['null where the column takes none', [{ a: 1, b: null }]],
    ['NaN', [{ a: Number.NaN, b: 1 }]],
    ['an infinite number', [{ a: 1, b: Number.POSITIVE_INFINITY }]],
    ['a row that lacks a column of the first', [{ a: 1, b: 1 }, { a: 1 }]],
    ['a row that has one more', [{ a: 1 }, { a: 1, b: 1 }]],
  ])('does not send %s, which the engine would turn into zero', async (_, rows) => {
    const { client, sent } = fakeClient()
    const insert = { name: 'n', table: 't', rows: rows as Record<string, number | null>[] }
    await expect(createSqlConnection(client).insertRows(insert)).rejects.toMatchObject({
      code: 'internal',
    })
    expect(sent).toEqual([])
  })

  it('refuses traps before anything is sent', async () => {
    const { client, sent } = fakeClient()
    const connection = createSqlConnection(client)
    const input = {
      name: 'n',
      table: 't',
      columns: ['a'],
      select: "SELECT a FROM input('a UInt8')",
    }
    await expect(connection.insertSelect(input)).rejects.toMatchObject({ code: 'internal' })
    await expect(connection.define('n', 'SET a = 1')).rejects.toMatchObject({ code: 'internal' })
    await expect(connection.selectTuples('n', 'SELECT 1; SELECT 2')).rejects.toMatchObject({
      code: 'internal',
    })
    expect(sent).toEqual([])
  })

  it('says which statement failed', async () => {
    const { client } = fakeClient(new Error('boom'))
    await expect(createSqlConnection(client).select(ONE)).rejects.toMatchObject({
      code: 'internal',
      message: 'the store refused one: boom',
    })
  })
})
