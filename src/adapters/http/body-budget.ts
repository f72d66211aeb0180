import { type Readable, Transform } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { DoorError } from './problem.ts'

/** Bytes of all bodies that are being received or worked on. */
const BUDGET_BYTES = 134_217_728
/** Bodies up to here are never refused: acks, commands, a few events. */
const SMALL_BYTES = 65_536

function overloaded(): DoorError {
  return new DoorError('overloaded', 'Too many large bodies are being worked on.', {
    remedy: 'Send it again after a second, in the same order.',
  })
}

/** Length of a body without an encoding; 0 when it is not known, or larger than the route takes. */
function announcedBytes(request: FastifyRequest): number {
  const { 'content-length': length, 'content-encoding': encoding } = request.headers
  const bytes = Number(length ?? 0)
  const plain = encoding === undefined || encoding.trim().toLowerCase() === 'identity'
  return plain && bytes <= (request.routeOptions.bodyLimit ?? 0) ? bytes : 0
}

/**
 * Bounds the memory of bodies that come at the same time: what is beyond the budget is answered 429
 * while the earlier ones go on. A body counts from its start with the length it announces, else with
 * the bytes that have come out of its encoding, until its answer is out.
 */
export function addBodyBudget(app: FastifyInstance, budgetBytes = BUDGET_BYTES): void {
  let takenBytes = 0
  app.addHook('preParsing', async (request, reply, payload) => {
    const { 'content-length': length, 'transfer-encoding': coding } = request.headers
    if (length === undefined && coding === undefined) return payload
    let ownBytes = 0
    const take = (bytes: number): boolean => {
      takenBytes += bytes
      ownBytes += bytes
      if (takenBytes <= budgetBytes || ownBytes <= SMALL_BYTES) return true
      giveBack()
      return false
    }
    const giveBack = (): void => {
      takenBytes -= ownBytes
      ownBytes = 0
    }
    reply.raw.once('close', giveBack)
    const announced = announcedBytes(request)
    if (!take(announced)) throw overloaded()
    return announced > 0 ? payload : countedBy(take, payload as CountedSource, reply)
  })
}

type CountedSource = Readable & { readonly receivedEncodedLength?: number }

function countedBy(
  take: (bytes: number) => boolean,
  source: CountedSource,
  reply: FastifyReply,
): Readable {
  let bytes = 0
  const counting = new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      bytes += chunk.byteLength
      if (take(chunk.byteLength)) done(null, chunk)
      else done(overloaded())
    },
  })
  const stop = () => {
    source.unpipe(counting)
    counting.destroy()
    // Whatever follows on the connection comes after the rest of this body.
    source.resume()
  }
  reply.raw.once('finish', stop)
  reply.raw.once('close', stop)
  // Nobody reads the body of a request that is answered before; its fault must not end the process.
  counting.on('error', () => undefined)
  source.once('error', (error) => counting.destroy(error))
  // The framework compares it with content-length.
  Object.defineProperty(counting, 'receivedEncodedLength', {
    get: () => source.receivedEncodedLength ?? bytes,
  })
  return source.pipe(counting)
}
