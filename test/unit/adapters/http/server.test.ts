import { once } from 'node:events'
import { createServer } from 'node:net'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { HaldaneError } from '../../../../src/domain/errors.ts'
import { eventually, openDoor, plug, problemIn, speak } from './door.ts'
import { RELEASE_ID } from './fake-worker.ts'

const ADDRESS = `/v1/releases/${encodeURIComponent(RELEASE_ID)}`

async function failureOf(opening: Promise<unknown>): Promise<HaldaneError> {
  const thrown = await opening.then(
    () => null,
    (error: unknown) => error,
  )
  if (!(thrown instanceof HaldaneError)) throw new Error('it did not fail on purpose')
  return thrown
}

describe('opening the door', () => {
  test('a free port is found and told', async () => {
    const { url } = await openDoor()
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    expect((await fetch(`${url}/livez`)).status).toBe(200)
  })

  test('an IPv6 address works with and without brackets', async () => {
    for (const host of ['::1', '[::1]']) {
      const { url } = await openDoor({ host })
      expect(url).toMatch(/^http:\/\/\[::1\]:\d+$/)
      expect((await fetch(`${url}/v1/releases`)).status).toBe(200)
    }
  })

  test('localhost is one address', async () => {
    const { url } = await openDoor({ host: 'localhost' })
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    expect((await fetch(url.replace('127.0.0.1', 'localhost').concat('/v1/releases'))).status).toBe(
      200,
    )
  })

  test('a taken port is an error that says so and what to do', async () => {
    const { url } = await openDoor()
    const port = Number(new URL(url).port)
    const error = await failureOf(openDoor({ port }))
    expect(error.code).toBe('port_taken')
    expect(error.message).toContain(String(port))
    expect(error.remedy).toContain('HALDANE_HTTP_PORT')
  })

  test('any other address needs a token', async () => {
    const error = await failureOf(openDoor({ host: '0.0.0.0' }))
    expect(error.code).toBe('usage')
    expect(error.remedy).toContain('HALDANE_TOKEN')
    const { url } = await openDoor({ host: '0.0.0.0', token: 'secret' })
    const { port } = new URL(url)
    expect((await fetch(`http://127.0.0.1:${port}/livez`)).status).toBe(200)
  })

  test('an address of another machine is an error for people', async () => {
    const error = await failureOf(openDoor({ host: '192.0.2.1', token: 'secret' }))
    expect(error.code).toBe('usage')
    expect(error.remedy).toContain('HALDANE_HTTP_HOST')
  })
})

describe('the token', () => {
  test.each([
    [undefined, 'no token', 'Bearer realm="haldane"'],
    ['Bearer wrong', 'not the one', 'Bearer realm="haldane", error="invalid_token"'],
    ['Bearer secre', 'not the one', 'Bearer realm="haldane", error="invalid_token"'],
    ['Bearer secrets', 'not the one', 'Bearer realm="haldane", error="invalid_token"'],
    ['Bearer', 'not the one', 'Bearer realm="haldane", error="invalid_token"'],
    ['Basic secret', 'not the one', 'Bearer realm="haldane", error="invalid_token"'],
  ])('%s is answered 401', async (authorization, why, challenge) => {
    const { url } = await openDoor({ token: 'secret' })
    const headers: Record<string, string> = authorization === undefined ? {} : { authorization }
    for (const path of ['/v1/releases', '/v1/decisions/stream', '/v1/none', '/metrics']) {
      const response = await fetch(url + path, { headers })
      expect(response.status).toBe(401)
      expect(response.headers.get('www-authenticate')).toBe(challenge)
      expect((await problemIn(response))['detail']).toContain(why)
    }
  })

  test('opens the door, in any case of the scheme', async () => {
    const { url } = await openDoor({ token: 'secret' })
    for (const authorization of ['Bearer secret', 'bearer secret']) {
      const response = await fetch(`${url}/v1/releases`, { headers: { authorization } })
      expect(response.status).toBe(200)
    }
  })

  test('is asked for before the body is read', async () => {
    const { url, worker } = await openDoor({ token: 'secret' })
    const answer = await speak(
      url,
      'POST /v1/events HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n',
    )
    expect(answer).toMatch(/^HTTP\/1\.1 401 /)
    expect(worker.submitted).toEqual([])
  })
})

describe('without a token', () => {
  test('a page of another origin may not act', async () => {
    const { url, worker } = await openDoor()
    for (const origin of ['https://evil.example', 'null', 'http://127.0.0.1:1']) {
      const response = await fetch(`${url}${ADDRESS}/promote`, {
        method: 'POST',
        headers: { origin, 'content-type': 'text/plain' },
        body: '{}',
      })
      expect(response.status).toBe(403)
      await problemIn(response)
    }
    expect(worker.commanded).toEqual([])
  })

  test('a page of the worker itself may', async () => {
    const { url } = await openDoor()
    const headers = { origin: url }
    const response = await fetch(`${url}${ADDRESS}/pause`, { method: 'POST', headers })
    expect(response.status).toBe(200)
  })

  test('a foreign name that was made to point here gets nothing', async () => {
    const { url } = await openDoor()
    const request = (host: string) =>
      speak(url, `GET /v1/releases HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`)
    expect(await request('evil.example:7625')).toMatch(/^HTTP\/1\.1 403 /)
    expect(await request('localhost:7625')).toMatch(/^HTTP\/1\.1 200 /)
    expect(await request('[::1]:7625')).toMatch(/^HTTP\/1\.1 200 /)
  })
})

describe('what is not there', () => {
  test('an unknown address is answered 404 with a remedy', async () => {
    const { url } = await openDoor()
    for (const path of ['/', '/v1/release', `/v1/releases/${RELEASE_ID}`]) {
      const response = await fetch(url + path)
      expect(response.status).toBe(404)
      expect((await problemIn(response))['remedy']).toContain('%2F')
    }
  })

  test.each([
    ['DELETE', '/v1/events', 'POST'],
    ['GET', '/v1/acks', 'POST'],
    ['PUT', '/v1/releases', 'GET, HEAD, POST'],
    ['POST', ADDRESS, 'GET, HEAD'],
    ['GET', `${ADDRESS}/abort`, 'POST'],
    ['POST', '/readyz', 'GET, HEAD'],
    ['OPTIONS', '/v1/decisions', 'GET, HEAD'],
  ])('%s %s is answered 405 with what is offered', async (method, path, allow) => {
    const { url } = await openDoor()
    const response = await fetch(url + path, { method })
    expect(response.status).toBe(405)
    expect(response.headers.get('allow')).toBe(allow)
    expect((await problemIn(response))['type']).toBe('/problems/method-not-allowed')
  })

  test('an address that cannot be read is answered 400', async () => {
    const { url } = await openDoor()
    const answer = await speak(
      url,
      'GET /%zz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n',
    )
    expect(answer).toMatch(/^HTTP\/1\.1 400 /)
    expect(answer).toContain('application/problem+json')
  })

  test('bytes that are no HTTP are answered 400 and the connection ends', async () => {
    const { url } = await openDoor()
    const answer = await speak(url, 'hello\r\n\r\n')
    expect(answer).toMatch(/^HTTP\/1\.1 400 /)
    expect(answer).toContain('"type":"/problems/malformed"')
  })

  test('a request without a host is answered 400, as a problem', async () => {
    const { url } = await openDoor()
    const answer = await speak(url, 'GET /livez HTTP/1.1\r\nconnection: close\r\n\r\n')
    expect(answer).toMatch(/^HTTP\/1\.1 400 /)
    expect(answer).toContain('content-type: application/problem+json')
    expect(answer).toContain('The request has no Host header.')
    expect(await speak(url, 'GET /livez HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1\.1 200 /)
  })

  test('an expectation nobody knows is passed over', async () => {
    const { url } = await openDoor()
    const { host } = new URL(url)
    const head = `GET /livez HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n`
    expect(await speak(url, `${head}expect: a-miracle\r\n\r\n`)).toMatch(/^HTTP\/1\.1 200 /)
  })

  test('a client that first writes all of a body too large still reads why', async () => {
    const { url } = await openDoor()
    for (const encoding of ['identity', 'gzip']) {
      const plain = Buffer.alloc(30_000_000, '{}\n')
      const body = encoding === 'gzip' ? gzipSync(plain, { level: 0 }) : plain
      const answer = await fetch(`${url}/v1/events`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-ndjson', 'content-encoding': encoding },
        body,
      })
      expect((await problemIn(answer))['status']).toBe(413)
    }
  })

  test.each(['identity', 'gzip'])(
    'a body that nobody reads does not hold up the next request (%s)',
    async (encoding) => {
      const { url } = await openDoor()
      const plain = Buffer.alloc(3_000_000, 'x')
      const body = encoding === 'gzip' ? gzipSync(plain, { level: 0 }) : plain
      const { host } = new URL(url)
      const first = `PROPFIND /v1/events HTTP/1.1\r\nhost: ${host}\r\ncontent-encoding: ${encoding}\r\n`
      for (const framing of ['length', 'chunks']) {
        const socket = await plug(url)
        const text: string[] = []
        socket.setEncoding('utf8').on('data', (chunk: string) => text.push(chunk))
        const closed = once(socket, 'close')
        if (framing === 'length') {
          socket.write(`${first}content-length: ${body.length}\r\n\r\n`)
          socket.write(body)
        } else {
          socket.write(`${first}transfer-encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n`)
          socket.write(body)
          socket.write('\r\n0\r\n\r\n')
        }
        socket.write(`GET /livez HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`)
        await closed
        expect(text.join('').match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 404', 'HTTP/1.1 200'])
      }
    },
  )

  test('headers beyond the limit are answered 431', async () => {
    const { url } = await openDoor()
    const answer = await speak(
      url,
      `GET / HTTP/1.1\r\nhost: localhost\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`,
    )
    expect(answer).toMatch(/^HTTP\/1\.1 431 /)
  })
})

describe('failures', () => {
  test('an unforeseen one is logged in full and answered without its words', async () => {
    const { url, worker, lines } = await openDoor()
    const failure = new TypeError('cannot read /var/lib/secret')
    worker.failure = failure
    const response = await fetch(`${url}/v1/releases`)
    expect(response.status).toBe(500)
    const body = await problemIn(response)
    expect(JSON.stringify(body)).not.toContain('secret')
    expect(JSON.stringify(body)).not.toContain(' at ')
    const logged = lines.find(({ level }) => level === 'error')
    expect(logged?.fields['err']).toBe(failure)
    expect(logged?.fields['request_id']).toBe(body['request_id'])
  })

  test('a refused request is no error of the worker', async () => {
    const { url, lines } = await openDoor()
    await fetch(`${url}/v1/none`)
    await eventually(() => lines.length).toBe(1)
    expect(lines[0]).toMatchObject({ level: 'debug', fields: { status: 404, method: 'GET' } })
  })
})

describe('closing the door', () => {
  test('requests in progress are answered, then the port is free', async () => {
    const { url, server, worker } = await openDoor()
    let finish = (): void => {}
    const begun = new Promise<void>((resolve) => {
      worker.api.releases = () => {
        resolve()
        return new Promise((answer) => {
          finish = () => answer([])
        })
      }
    })
    const response = fetch(`${url}/v1/releases`)
    await begun
    const closed = server.close()
    finish()
    expect((await response).status).toBe(200)
    await closed
    await expect(fetch(`${url}/livez`)).rejects.toThrow()
    const { port } = new URL(url)
    const next = createServer().listen(Number(port), '127.0.0.1')
    await once(next, 'listening')
    next.close()
  })

  test('connections without a request do not hold it up', async () => {
    const { url, server } = await openDoor()
    const socket = await plug(url)
    const gone = once(socket, 'close')
    // The server has seen the connection once it answers another one.
    await fetch(`${url}/livez`)
    await server.close()
    await gone
  })

  test('a request that never ends is cut off after the grace', async () => {
    const { url, server, worker, manual } = await openDoor()
    const begun = new Promise<void>((resolve) => {
      worker.api.releases = () => {
        resolve()
        return new Promise(() => {})
      }
    })
    const response = fetch(`${url}/v1/releases`)
    const failed = expect(response).rejects.toThrow()
    await begun
    const closed = server.close()
    manual.advance(5000)
    await closed
    await failed
  })

  test('may be asked for twice', async () => {
    const { server } = await openDoor()
    await Promise.all([server.close(), server.close()])
    await server.close()
  })

  test('leaves nothing waiting', async () => {
    const { server, manual } = await openDoor()
    await server.close()
    expect(manual.waiting()).toBe(0)
  })
})
