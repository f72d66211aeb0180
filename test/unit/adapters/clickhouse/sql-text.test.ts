import { describe, expect, it } from 'vitest'
import {
  assertHarmless,
  maskedSql,
  settingsClause,
  sqlTime,
  sqlTimeUs,
} from '../../../../src/adapters/clickhouse/sql-text.ts'

const refuses = (sql: string, kind: 'select' | 'insert' | 'definition' = 'select') =>
  expect(() => assertHarmless('s', sql, kind)).toThrow(/statement s is not sent/)
const accepts = (sql: string, kind: 'select' | 'insert' | 'definition' = 'select') =>
  expect(() => assertHarmless('s', sql, kind)).not.toThrow()

describe('a statement is refused', () => {
  it('when it reads from input(), which inserts nothing', () => {
    refuses("SELECT a FROM input('a UInt8')", 'insert')
    refuses('SELECT * FROM INPUT (\n)', 'insert')
  })

  it('when it sets something for the whole connection', () => {
    refuses('SET max_threads = 1')
    refuses('  set x = 1', 'definition')
  })

  it('when it is more than one', () => {
    refuses('SELECT 1; SELECT 2')
    refuses('DROP TABLE a;\n-- and\nDROP TABLE b', 'definition')
  })

  it('when it brings settings of its own, which are added by the connection', () => {
    refuses('SELECT 1 SETTINGS max_threads = 1')
    refuses('SELECT 1\nsettings x = 1', 'insert')
  })
})

describe('a statement is accepted', () => {
  it('when the words stand in literals, names or comments', () => {
    accepts("SELECT 'FROM input(x); SET y SETTINGS'")
    accepts('SELECT `settings`, "a;b" /* SET; */ FROM t -- ; SETTINGS')
    accepts("SELECT 'it''s \\' ; input('")
  })

  it('with one semicolon at its end', () => accepts('SELECT 1;\n'))

  it('when a table is defined with settings', () => {
    accepts('CREATE TABLE t (a UInt8) ENGINE = MergeTree ORDER BY a SETTINGS x = 1', 'definition')
  })

  it('when it looks at the settings of the engine', () => {
    accepts('SELECT name FROM system.settings')
  })

  it('when a name only resembles a trap', () => {
    accepts('SELECT my_input(1), offset_settings_x FROM t')
  })
})

describe('text for the engine', () => {
  it('loses comments, literals and quoted names when masked', () => {
    expect(maskedSql('a \'b;\' c -- d;\n`e` /* f; */ "g" h').replace(/\s+/g, ' ')).toBe('a c h')
  })

  it('writes settings with their values quoted', () => {
    expect(settingsClause({ a: 1, b: "it's \\" })).toBe("a = 1, b = 'it\\'s \\\\'")
  })

  it('writes times in UTC, to the millisecond or microsecond', () => {
    expect(sqlTime(Date.UTC(2026, 10, 23, 10, 0, 0, 123))).toBe('2026-11-23 10:00:00.123')
    expect(sqlTime(0)).toBe('1970-01-01 00:00:00.000')
    expect(sqlTimeUs(1_000_007)).toBe('1970-01-01 00:00:01.000007')
  })
})
