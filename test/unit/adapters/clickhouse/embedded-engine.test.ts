import { describe, expect, it } from 'vitest'
import { openEmbeddedEngine } from '../../../../src/adapters/clickhouse/embedded-engine.ts'

describe('opening the embedded engine', () => {
  it('without its package says what is missing and what to do', async () => {
    const missing = Object.assign(new Error("Cannot find package 'chdb'"), {
      code: 'ERR_MODULE_NOT_FOUND',
    })
    await expect(
      openEmbeddedEngine('/nowhere', () => Promise.reject(missing)),
    ).rejects.toMatchObject({
      code: 'missing_dependency',
      message: expect.stringContaining('chdb'),
      remedy: expect.stringContaining('npm install'),
      cause: missing,
    })
  })
})
