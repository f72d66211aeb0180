import { createRequire } from 'node:module'
import { describe, expect, it } from 'vitest'
import { loadOptional } from '../../../src/demo/optional-package.ts'

const require = createRequire(import.meta.url)

describe('loadOptional', () => {
  it('says which package is missing and how to install it', async () => {
    await expect(
      loadOptional('no-such-package-here', () => require('no-such-package-here')),
    ).rejects.toMatchObject({
      code: 'missing_dependency',
      message: 'The demo needs the package no-such-package-here.',
      remedy: expect.stringContaining('npm install'),
    })
  })

  it('knows a package that is missing for import as well', async () => {
    const missing = Object.assign(new Error("Cannot find package 'tinyld' imported from x.js"), {
      code: 'ERR_MODULE_NOT_FOUND',
    })
    await expect(loadOptional('tinyld', () => Promise.reject(missing))).rejects.toMatchObject({
      code: 'missing_dependency',
    })
  })

  it('does not hide a failure inside a package that is there', async () => {
    const broken = new TypeError('broken')
    await expect(loadOptional('tinyld', () => Promise.reject(broken))).rejects.toBe(broken)
    const other = Object.assign(new Error("Cannot find module 'elsewhere'"), {
      code: 'MODULE_NOT_FOUND',
    })
    await expect(loadOptional('tinyld', () => Promise.reject(other))).rejects.toBe(other)
  })
})
