import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { createMetrics } from '../../src/adapters/ops/metrics.ts'
import { loadConfig } from '../../src/config.ts'
import { permissionRows, topicRows, variableRows } from '../support/operate-tables.ts'

const DOCS = fileURLToPath(new URL('../../docs/', import.meta.url))
const page = readFileSync(join(DOCS, 'operate.md'), 'utf8')
const lines = page.split('\n')

describe('the page for operators', () => {
  it('lists every variable as the program reads it', () => {
    const listed = lines.filter((line) => line.startsWith('| `HALDANE_'))
    expect(listed).toEqual(variableRows())
  })

  it('lists the permissions the secured broker is tested with', () => {
    const listed = lines.filter((line) => /^\| (topic|group|transactional id) \|/.test(line))
    expect(listed).toEqual(permissionRows())
  })

  it('lists every topic with its partitions and how long it is kept', () => {
    for (const { begins, kept } of topicRows()) {
      const row = lines.find((line) => line.startsWith(begins))
      expect(row).toContain(kept)
    }
  })

  it('names only metrics that there are', async () => {
    const exposed = await createMetrics('0').expose()
    const named = [...page.matchAll(/\bhaldane_[a-z_]+\b(?!…)/g)].map(([name]) => name)
    const metrics = named.filter((name) =>
      /_(total|seconds|messages|rows|phase|weight|info|bucket)$/.test(name),
    )
    expect(metrics.length).toBeGreaterThan(15)
    for (const name of metrics) expect(exposed).toContain(name.replace(/_bucket$/, ''))
  })

  it('has rules of alerts that parse', () => {
    const block = /```yaml\n([\s\S]*?)```/.exec(page)?.[1] ?? ''
    const { groups } = parse(block) as { groups: { rules: { alert: string; expr: string }[] }[] }
    for (const { alert, expr } of groups[0]?.rules ?? []) {
      expect(`${alert} ${expr}`).toMatch(/^Haldane\w+ .*haldane/)
    }
  })

  it('gives an environment that is valid but for its files', () => {
    const pairs = [...page.matchAll(/(HALDANE_[A-Z_]+)=(\S+)/g)].map(([, name, value]) => [
      name,
      value,
    ])
    const env = Object.fromEntries(pairs) as Record<string, string>
    const files = Object.keys(env).filter((name) => name.endsWith('_FILE'))
    expect(files).toHaveLength(4)
    const problems = (() => {
      try {
        loadConfig(env)
        return []
      } catch (thrown) {
        return (thrown as Error).message.split('\n')
      }
    })()
    const missing = files.map((name) => `${name} is "${env[name]}": there is no such file`)
    expect([...problems].sort()).toEqual([...missing].sort())
  })

  it('links to files that are there', () => {
    const links = [...page.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map(([, path]) => path ?? '')
    expect(links.length).toBeGreaterThan(5)
    for (const path of links) {
      const found = existsSync(join(DOCS, path)) || existsSync(join(DOCS, `${path}.md`))
      expect({ path, found }).toEqual({ path, found: true })
    }
  })
})
