import { describe, expect, it } from 'vitest'
import { canonicalLocale } from '../../../src/contract/locale-tag.ts'

describe('canonicalLocale', () => {
  it('makes underscores and case canonical', () => {
    expect(canonicalLocale('EN_us')).toBe('en-US')
    expect(canonicalLocale('de-de')).toBe('de-DE')
    expect(canonicalLocale('zh_hans_cn')).toBe('zh-Hans-CN')
    expect(canonicalLocale('und')).toBe('und')
  })

  it.each(['', 'x', 'en_US.UTF-8', 'de_DE@euro', '12', 'en--US', 'de-DE ', 'dé'])(
    'refuses "%s", asked once or twice',
    (text) => {
      expect(canonicalLocale(text)).toBeNull()
      expect(canonicalLocale(text)).toBeNull()
    },
  )

  it('refuses a valid tag of more than 64 characters', () => {
    const tag = `en-x-${Array.from({ length: 6 }, () => 'abcdefgh').join('-')}`
    expect(canonicalLocale(tag)).toBe(tag)
    expect(canonicalLocale(`${tag}-abcdefgh`)).toBeNull()
  })

  it('answers the same after more different texts than it remembers', () => {
    for (let index = 0; index < 10_000; index++) canonicalLocale(`en-x-t${index}`)
    expect(canonicalLocale('en_us')).toBe('en-US')
    expect(canonicalLocale('en-x-t1')).toBe('en-x-t1')
  })
})
