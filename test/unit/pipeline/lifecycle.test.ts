import { expect, it } from 'vitest'
import { silentLog } from '../../../src/adapters/ops/logger.ts'
import { createLifecycle } from '../../../src/pipeline/lifecycle.ts'

it('closes last opened first, all of it, also when one fails, and only once', async () => {
  const lifecycle = createLifecycle(silentLog)
  const closed: string[] = []
  for (const name of ['store', 'bus', 'http']) {
    lifecycle.defer(name, () => {
      closed.push(name)
      if (name === 'bus') throw new Error('no')
    })
  }
  await Promise.all([lifecycle.close(), lifecycle.close()])
  expect(closed).toEqual(['http', 'bus', 'store'])
})
