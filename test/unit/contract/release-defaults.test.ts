import { describe, expect, it } from 'vitest'
import { canonicalJson, defaultPolicy, sha256 } from '../../../src/contract/release-defaults.ts'

describe('canonicalJson', () => {
  it('is the same for equal values, however their keys are ordered', () => {
    expect(canonicalJson({ b: [{ d: 1, c: 2 }], a: null })).toBe('{"a":null,"b":[{"c":2,"d":1}]}')
    expect(canonicalJson({ a: null, b: [{ c: 2, d: 1 }] })).toBe('{"a":null,"b":[{"c":2,"d":1}]}')
  })
})

describe('defaultPolicy', () => {
  it('is named default; its hash changes only when a default changes', () => {
    expect(defaultPolicy()).toEqual({
      name: 'default',
      hash: '68192e4fb17902f36ad5ac0bb4902b3733decaeaa96f3463ea72d72d43a43fef',
    })
  })
})

describe('sha256', () => {
  it('hashes the UTF-8 text', () => {
    expect(sha256('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
  })
})
