import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseReleaseFile } from '../../../src/contract/release-file.ts'
import { specFromJson, specToJson } from '../../../src/contract/release-spec-json.ts'
import { anySpec, RELEASE_TEXT } from './release-samples.ts'

describe('specToJson and specFromJson', () => {
  it('give back every release exactly, and the same text again', () => {
    fc.assert(
      fc.property(anySpec, (spec) => {
        const text = specToJson(spec)
        const back = specFromJson(text)
        expect(back).toEqual(spec)
        expect(specToJson(back)).toBe(text)
      }),
    )
  })

  it('give back the release of the documentation', () => {
    const parsed = parseReleaseFile(RELEASE_TEXT, { fileName: 'r.yaml' })
    if (!('spec' in parsed)) throw new Error('the documented file is not valid')
    expect(specFromJson(specToJson(parsed.spec))).toStrictEqual(parsed.spec)
  })

  it('refuse text that is no stored release, naming what is wrong', () => {
    expect(() => specFromJson('{')).toThrow('not a stored release: {')
    expect(() => specFromJson('{"route":7}')).toThrow(/wrong: route, modelName, /)
  })
})
