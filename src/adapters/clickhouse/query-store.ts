import { HaldaneError, toHaldaneError } from '../../domain/errors.ts'
import type { QueryStore } from '../../ports.ts'
import { isUnknownTable } from './engine-failure.ts'
import type { SqlConnection } from './sql-connection.ts'
import { maskedSql } from './sql-text.ts'

const READS = /^\s*(?:select|with|show|describe|desc|explain|exists)\b/i

/** Questions of people, on the connection for analysis. */
export function createQueryStore(sql: SqlConnection): QueryStore {
  return {
    async query(text) {
      const statement = text.trim().replace(/;\s*$/, '')
      if (!READS.test(maskedSql(statement))) {
        throw new HaldaneError('invalid_input', 'only one statement that reads is allowed', {
          remedy: 'begin it with SELECT, WITH, SHOW, DESCRIBE, EXPLAIN or EXISTS',
        })
      }
      try {
        const [columns = [], ...rows] = await sql.ask(statement)
        return { columns: columns.map(String), rows }
      } catch (thrown) {
        const error = toHaldaneError(thrown)
        // A table that is not there is a slip of the person, unless it is the worker that asks.
        if (error.code !== 'internal' && !isUnknownTable(error.cause)) throw error
        throw new HaldaneError('invalid_input', error.message, { cause: thrown })
      }
    },
  }
}
