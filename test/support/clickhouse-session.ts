import { createWriteStream } from 'node:fs'
import { mkdir, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Session } from 'chdb'

/** A statement as it comes over HTTP. */
export interface HttpStatement {
  readonly sql: string
  readonly database: string
  readonly params: Readonly<Record<string, string>>
  readonly settings: Readonly<Record<string, string>>
  readonly format: string
  /** Rows that follow an INSERT. */
  readonly rows: Readable | null
}

export interface EngineSessions {
  /** The answer, piece by piece; rejects with the engine's words, also in the middle. */
  run(statement: HttpStatement): AsyncGenerator<Uint8Array>
  close(): void
}

const INSERT =
  /^(\s*insert\s+into\s+(?:table\s+)?[^\s(]+\s*(?:\([^)]*\))?)\s*(settings\s[\s\S]*?)?\s*(format\s+\w+)\s*$/i
/** What the engine can answer piece by piece: each piece would begin with a header of its own. */
const STREAMED =
  /^\s*(?:\(|select|with)\b[\s\S]*\bformat\s+(?:JSONEachRow|JSONCompactEachRow|TabSeparated|RowBinary)\s*$/i

/**
 * The embedded engine as a server sees it: a session of its own for each statement, so that nothing of
 * a request is left for the next one.
 */
export async function openEngineSessions(directory: string): Promise<EngineSessions> {
  const spool = join(directory, 'front-spool')
  await mkdir(spool, { recursive: true })
  const data = join(directory, 'clickhouse')
  // Keeps the engine open between statements.
  const holder = new Session(data)
  let spooled = 0

  async function* insert(session: Session, statement: HttpStatement, rows: Readable) {
    const parts = INSERT.exec(statement.sql)
    if (parts === null) {
      throw new Error(
        'Code: 62. DB::Exception: Syntax error: rows without an INSERT. (SYNTAX_ERROR)',
      )
    }
    const path = join(spool, `${process.pid}-${spooled++}`)
    try {
      await pipeline(rows, createWriteStream(path))
      const [, into, settings = '', format] = parts
      const sql = `${into} FROM INFILE '${path}' COMPRESSION 'none' ${settings} ${format}`
      yield (await session.queryAsync(sql, { format: statement.format })).bytes()
    } finally {
      await unlink(path).catch(() => undefined)
    }
  }

  return {
    async *run(statement) {
      const session = new Session(data)
      try {
        if (statement.database !== '') {
          await session.queryAsync(`USE \`${statement.database.replaceAll('`', '\\`')}\``)
        }
        const given = Object.entries(statement.params).map(([name, value]) => [
          `param_${name}`,
          value,
        ])
        for (const [name, value] of [...given, ...Object.entries(statement.settings)]) {
          await session.queryAsync(`SET ${name} = ${quoted(value ?? '')}`)
        }
        const { sql, format, rows } = statement
        if (rows !== null) yield* insert(session, statement, rows)
        else if (STREAMED.test(sql)) {
          for await (const chunk of session.queryStream(sql, { format })) yield chunk.raw()
        } else yield (await session.queryAsync(sql, { format })).bytes()
      } finally {
        session.close()
      }
    },
    close: () => holder.close(),
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
