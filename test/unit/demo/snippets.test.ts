import { describe, expect, it } from 'vitest'
import { DEMO_LOCALES } from '../../../src/demo/mix.ts'
import { cutSnippets, loadSnippets, paragraphsOf } from '../../../src/demo/snippets.ts'

describe('cutSnippets', () => {
  it('takes every run of six words and never one across two paragraphs', () => {
    expect(cutSnippets(['a b c d e f g h', 'too short', '1 2 3 4 5 6'], false)).toEqual([
      'a b c d e f',
      'b c d e f g',
      'c d e f g h',
      '1 2 3 4 5 6',
    ])
  })

  it('takes runs of 24 characters where words are not spaced, whole characters only', () => {
    const text = '𠮷'.repeat(10) + '一二三四五六七八九十'.repeat(2)
    const snippets = cutSnippets([text.slice(0, 30)], true)
    expect(snippets).toEqual([])
    const two = cutSnippets(['一'.repeat(12) + ' '.repeat(3) + '二'.repeat(13)], true)
    expect(two).toEqual(['一'.repeat(12) + '二'.repeat(12), '一'.repeat(11) + '二'.repeat(13)])
  })
})

describe('paragraphsOf', () => {
  it('keeps the text of headings, paragraphs and list items, without mark-up', () => {
    const html =
      '<title>No</title><h1>Declaration</h1><p>All <b>human</b>\n beings &amp; more</p><ul><li>One</li></ul>'
    expect(paragraphsOf(html)).toEqual(['Declaration', 'All human beings & more', 'One'])
  })
})

describe('loadSnippets', () => {
  it('has more than a thousand texts for every locale of the demo', async () => {
    const snippets = await loadSnippets(DEMO_LOCALES)
    expect([...snippets.keys()]).toEqual(DEMO_LOCALES)
    for (const [locale, texts] of snippets) {
      expect(texts.length, locale).toBeGreaterThan(1000)
      expect(
        texts.every((text) => !/[<>&]/.test(text)),
        locale,
      ).toBe(true)
    }
    expect(snippets.get('en-US')).toContain('All human beings are born free')
    expect(snippets.get('zh-CN')?.every((text) => [...text].length === 24)).toBe(true)
  })

  it('refuses a locale without a text and names those that have one', async () => {
    await expect(loadSnippets(['tlh-US'])).rejects.toMatchObject({
      code: 'invalid_input',
      remedy: expect.stringContaining('da-DK'),
    })
  })
})
