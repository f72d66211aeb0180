import type { Readable } from 'node:stream'
import { createGunzip, type Gunzip } from 'node:zlib'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { DoorError } from './problem.ts'

const GZIP = new Set(['gzip', 'x-gzip'])

function encodingOf(request: FastifyRequest): string {
  return (request.headers['content-encoding'] ?? 'identity').trim().toLowerCase()
}

/** Throws `unsupported_media_type` for a body that is neither plain nor gzip. */
export function assertReadableEncoding(request: FastifyRequest): void {
  const encoding = encodingOf(request)
  if (encoding === 'identity' || GZIP.has(encoding)) return
  throw new DoorError('unsupported_media_type', `The body is encoded as ${encoding}.`, {
    remedy: 'Send it as gzip, or as it is without content-encoding.',
    headers: { 'accept-encoding': 'gzip, identity' },
  })
}

/**
 * Inflates gzip while it arrives. The limits on bodies are those of what comes out, and inflating
 * ends with the answer, so that a bomb costs no more than a body of the allowed size.
 */
export function addInflating(app: FastifyInstance): void {
  app.addHook('preParsing', async (request, reply, payload) => {
    if (!GZIP.has(encodingOf(request))) return payload
    const source = payload as Readable
    const gunzip = inflating(source)
    const stop = () => {
      source.unpipe(gunzip)
      gunzip.destroy()
      source.resume()
    }
    reply.raw.once('finish', stop)
    reply.raw.once('close', stop)

    return gunzip
  })
}

function inflating(source: Readable): Gunzip {
  const gunzip = createGunzip()
  // Nobody reads the body of a request that is answered before; its fault must not end the process.
  gunzip.on('error', () => undefined)
  source.once('error', (error) => gunzip.destroy(error))
  // The framework compares it with content-length.
  Object.defineProperty(gunzip, 'receivedEncodedLength', { get: () => gunzip.bytesWritten })
  return source.pipe(gunzip)
}
