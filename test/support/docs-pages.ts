import { readdirSync, readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = new URL('../../', import.meta.url)

export interface Page {
  readonly url: URL
  /** Path from the root of the project. */
  readonly name: string
  readonly text: string
}

/** README and every page of the documentation, those of the examples included. */
export function documentationPages(): Page[] {
  const found = ['docs/', 'examples/'].flatMap((directory) =>
    readdirSync(new URL(directory, ROOT), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.md'))
      .map((name) => new URL(`${directory}${name}`, ROOT)),
  )
  return [new URL('README.md', ROOT), ...found].map((url) => ({
    url,
    name: relative(fileURLToPath(ROOT), fileURLToPath(url)),
    text: readFileSync(url, 'utf8'),
  }))
}

export interface CodeBlock {
  readonly page: string
  /** Of the first line of the code, from 1. */
  readonly line: number
  /** First word after the fence. */
  readonly language: string
  /** The rest after the fence; here the contract it is an example of. */
  readonly label: string
  readonly code: string
}

/** The fenced blocks of a page. */
export function codeBlocks({ name, text }: Page): CodeBlock[] {
  return [...text.matchAll(/^( *)```([^\n`]*)\n([\s\S]*?)^\1```$/gm)].map((match) => {
    const [, indent = '', info = '', code = ''] = match
    const [language = '', ...rest] = info.trim().split(/\s+/)
    const line = text.slice(0, match.index).split('\n').length + 1
    const dedented = code.replace(new RegExp(`^${indent}`, 'gm'), '')
    return { page: name, line, language, label: rest.join(' '), code: dedented }
  })
}
