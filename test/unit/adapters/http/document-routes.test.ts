import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { openDoor } from './door.ts'

describe('/openapi.json and /asyncapi.json', () => {
  it.each(['openapi', 'asyncapi'])(
    '%s.json is the published one, also with a token set',
    async (name) => {
      const { url } = await openDoor({ token: 'a-long-secret-token' })
      const response = await fetch(`${url}/${name}.json`)
      const file = new URL(`../../../../schemas/${name}.json`, import.meta.url)
      expect(await response.json()).toEqual(JSON.parse(readFileSync(file, 'utf8')))
    },
  )

  it('are sent once to who keeps them, under HEAD too', async () => {
    const { url } = await openDoor()
    const first = await fetch(`${url}/openapi.json`, { method: 'HEAD' })
    const etag = first.headers.get('etag') ?? ''
    expect(etag).toMatch(/^"[\w-]{43}"$/)
    const headers = { 'if-none-match': `"old", W/${etag}` }
    const again = await fetch(`${url}/openapi.json`, { headers })
    expect([again.status, again.headers.get('etag'), await again.text()]).toEqual([304, etag, ''])
    const other = await fetch(`${url}/openapi.json`, { headers: { 'if-none-match': '"old"' } })
    expect(other.status).toBe(200)
  })
})
