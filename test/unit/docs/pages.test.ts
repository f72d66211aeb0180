import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { contractPages } from '../../../.ci/docs-pages.ts'
import { contractTables, withTables } from '../../../.ci/docs-tables.ts'
import { publishedSchemas } from '../../../src/contract/json-schema.ts'
import { documentationPages } from '../../support/docs-pages.ts'

const pages = documentationPages()

describe('the pages of the contracts', () => {
  it('have their tables as the schemas say now', () => {
    const tables = contractTables()
    for (const page of contractPages()) {
      const text = readFileSync(page, 'utf8')
      expect(text, `run \`npm run schemas\`: ${page.pathname}`).toBe(withTables(text, tables))
    }
  })

  it('show every table there is', () => {
    const all = contractPages().map((page) => readFileSync(page, 'utf8'))
    // A policy has the keys of a release file, which are shown there.
    const names = [...contractTables().keys()].filter((name) => name !== 'release-policy')
    const missing = names.filter((name) => !all.some((text) => text.includes(`table: ${name} -->`)))
    expect(missing).toEqual([])
    expect(publishedSchemas().size).toBeGreaterThan(0)
  })

  it('say in every field what it means', () => {
    for (const [name, table] of contractTables()) {
      const empty = table.split('\n').filter((row) => /\|\s+\|$/.test(row))
      expect([name, empty]).toEqual([name, []])
    }
  })

  it('name every reason a decision can give', () => {
    const page = pages.find(({ name }) => name.endsWith('decision.md'))?.text ?? ''
    const sources = ['src/rollout/reasons.ts', 'src/rollout/rollout.ts'].map((path) =>
      readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8'),
    )
    const codes = sources.flatMap((source) =>
      [...source.matchAll(/(?:code: |info\(\s*|\[)'([a-z]+(?:_[a-z]+)*)',/g)].map(
        ([, code = '']) => code,
      ),
    )
    expect(codes.length).toBeGreaterThan(8)
    expect(codes.filter((code) => !page.includes(`\`${code}\``))).toEqual([])
  })
})

describe('the links of the documentation', () => {
  it.each(pages.map((page) => [page.name, page] as const))('in %s lead somewhere', (_, page) => {
    const links = [...page.text.matchAll(/\]\((?!https?:|mailto:)([^)\s]+)\)/g)].map(
      ([, link = '']) => link,
    )
    for (const link of links) {
      const [path = '', anchor] = link.split('#')
      const target = path === '' ? page.url : new URL(path, page.url)
      expect([link, existsSync(target)]).toEqual([link, true])
      if (anchor === undefined || !target.pathname.endsWith('.md')) continue
      expect(anchorsOf(readFileSync(target, 'utf8')), link).toContain(anchor)
    }
  })
})

/** Anchors as GitHub makes them of headings. */
function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  )
}
