import { beforeAll, describe, expect, it } from 'vitest'
import { loadModels, type Models, warmUp } from '../../../src/demo/models.ts'

let models: Models
beforeAll(async () => {
  models = await loadModels()
})

describe('loadModels', () => {
  it('offers the three builds as versions', () => {
    expect(models.versions).toEqual(['1.0.0', '1.1.0', '1.2.0'])
  })

  it('identifies German with every build', () => {
    const text = 'Die Würde des Menschen ist unantastbar'
    expect(models.versions.map((version) => models.predict(version, text))).toEqual([
      'de',
      'de',
      'de',
    ])
  })

  it('knows Czech and Danish from 1.1.0 on, and not in 1.0.0', () => {
    const czech = 'Všichni lidé rodí se svobodní a sobě rovní'
    const danish = 'Alle mennesker er født frie og lige i værdighed'
    expect(models.predict('1.1.0', czech)).toBe('cs')
    expect(models.predict('1.2.0', czech)).toBe('cs')
    expect(models.predict('1.0.0', czech)).not.toBe('cs')
    expect(models.predict('1.1.0', danish)).toBe('da')
    expect(models.predict('1.0.0', danish)).not.toBe('da')
  })

  it('refuses a version that has no build and names those that have one', () => {
    expect(() => models.predict('9.9.9', 'text')).toThrow(
      expect.objectContaining({
        code: 'not_found',
        remedy: 'Use one of 1.0.0, 1.1.0, 1.2.0.',
      }),
    )
  })
})

describe('warmUp', () => {
  it('calls the version the given number of times, over all texts, and lets others run between', async () => {
    const seen: string[] = []
    const slow: Models = {
      versions: ['1'],
      predict: (_version, text) => {
        seen.push(text)
        const until = performance.now() + 1
        while (performance.now() < until);
        return ''
      },
    }
    let turns = 0
    const counting = setInterval(() => {
      turns++
    }, 1)
    await warmUp(slow, '1', ['a', 'b', 'c', 'd', 'e'], 40)
    clearInterval(counting)
    expect(seen).toHaveLength(40)
    expect(new Set(seen).size).toBe(5)
    expect(turns).toBeGreaterThan(0)
  })
})
