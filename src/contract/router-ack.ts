import { z } from 'zod'
import type { Rejection } from '../domain/request-event.ts'
import type { RouterAck } from '../ports.ts'
import { type MessageHeaders, NO_HEADERS, readUtf8Message } from './cloud-event.ts'
import { rejectionsOf } from './rejection-text.ts'
import { formatTime, parseRfc3339 } from './rfc3339.ts'
import {
  characters,
  documented,
  ROUTE_WORDS,
  requiredTime,
  routeText,
  storedText,
  TIME_WORDS,
} from './wire-field.ts'

/** A router says which decision it applied. Unknown fields are ignored. */
export const routerAckSchema = z
  .object({
    route: documented(routeText(), 'Route of the decision', ROUTE_WORDS),
    router_id: documented(
      storedText(1, 128),
      'Names the router; each router of a route has its own',
      characters(1, 128),
    ),
    applied_generation: documented(
      z.int().min(0),
      'Largest generation the router has applied, 0 before the first',
      'a whole number from 0',
    ),
    applied_traffic: documented(
      z
        .array(
          z.object({
            version: z.string().describe('Version of the model.'),
            weight: z.number().min(0).describe('Its share, in parts of total_weight.'),
          }),
        )
        .nullish(),
      'The weights the router really uses',
      'a list of {version, weight}',
    ),
    applied_at: documented(requiredTime(), 'When it was applied', TIME_WORDS, {
      format: 'date-time',
    }),
  })
  .meta({ title: 'Router ack', description: 'What a router applied.' })

type WireRouterAck = z.output<typeof routerAckSchema>

/** The ack a message holds, bare or as a CloudEvent, or every reason why it holds none. */
export function decodeRouterAck(
  value: Uint8Array | null,
  headers: MessageHeaders = NO_HEADERS,
): RouterAck | Rejection[] {
  const object = readUtf8Message(value, headers, 'ack')
  if (Array.isArray(object)) return object
  const parsed = routerAckSchema.safeParse(object)
  if (!parsed.success) return rejectionsOf(routerAckSchema, parsed.error, object)
  const ack = parsed.data
  return {
    route: ack.route,
    routerId: ack.router_id,
    appliedGeneration: ack.applied_generation,
    appliedAtMs: parseRfc3339(ack.applied_at) ?? Number.NaN,
  }
}

/** One line of JSON in UTF-8; inverse of `decodeRouterAck`. */
export function encodeRouterAck(ack: RouterAck): Uint8Array {
  const wire: WireRouterAck = {
    route: ack.route,
    router_id: ack.routerId,
    applied_generation: ack.appliedGeneration,
    applied_at: formatTime(ack.appliedAtMs),
  }
  return new TextEncoder().encode(JSON.stringify(wire))
}
