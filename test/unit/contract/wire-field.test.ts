import { describe, expect, it } from 'vitest'
import { isStoredText, routeText, splitRoute } from '../../../src/contract/wire-field.ts'

describe('splitRoute', () => {
  it('takes what follows the last slash for the environment', () => {
    expect(splitRoute('intent-classifier/production')).toEqual({
      modelName: 'intent-classifier',
      environment: 'production',
    })
    expect(splitRoute('team/intent/staging')).toEqual({
      modelName: 'team/intent',
      environment: 'staging',
    })
  })

  it.each(['', 'intent-classifier', '/production', 'intent/', 'in tent/production', 'a/b c'])(
    'refuses "%s"',
    (route) => {
      expect(splitRoute(route)).toBeNull()
      expect(routeText().safeParse(route).success).toBe(false)
    },
  )
})

describe('isStoredText', () => {
  it('refuses what is no text, too long, or not storable', () => {
    expect(isStoredText('ab', 1, 2)).toBe(true)
    for (const value of ['', 'abc', 'a\0', 7, null]) expect(isStoredText(value, 1, 2)).toBe(false)
  })
})
