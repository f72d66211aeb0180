import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { HaldaneError } from '../../domain/errors.ts'
import { isLoopback } from '../../domain/loopback.ts'
import { DoorError } from './problem.ts'

const READING = new Set(['GET', 'HEAD', 'OPTIONS'])

/** Throws `usage` unless the address is the machine's own or a token guards the door. */
export function assertGuarded(host: string, token: string | null): void {
  if (token === '') {
    throw new HaldaneError('usage', 'The token is empty, so it would guard nothing.', {
      remedy: 'Set HALDANE_TOKEN to a long random text, or unset it.',
    })
  }
  if (token === null && !isLoopback(host)) {
    throw new HaldaneError(
      'usage',
      `${host} can be reached from other machines, and without a token everybody there could steer releases.`,
      { remedy: 'Set HALDANE_TOKEN, or bind to 127.0.0.1 (HALDANE_HTTP_HOST).' },
    )
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

/** Host part of a Host header; brackets of IPv6 stay. */
function hostOf(header: string): string {
  return header.replace(/:\d*$/, '')
}

function assertOwnBrowser(request: FastifyRequest): void {
  const host = request.headers.host
  if (host !== undefined && !isLoopback(hostOf(host))) {
    throw new DoorError(
      'forbidden',
      `This worker answers only to names of its own machine, not to ${host}.`,
      {
        remedy: 'Use http://127.0.0.1, or set HALDANE_TOKEN on the worker and send it.',
      },
    )
  }
  const origin = request.headers.origin
  if (origin === undefined || READING.has(request.method)) return
  if (!URL.canParse(origin) || new URL(origin).host !== host) {
    throw new DoorError('forbidden', `A page of ${origin} may not steer this worker.`, {
      remedy: 'Set HALDANE_TOKEN on the worker and send it, or use the command line.',
    })
  }
}

export interface Access {
  /** Throws `unauthorized` or `forbidden`. */
  check(request: FastifyRequest): void
  /** True when the request may see more than whether the worker is well. */
  isTrusted(request: FastifyRequest): boolean
}

/**
 * With a token: `Authorization: Bearer`, compared in constant time. Without one the door is on the
 * loopback, where the only stranger is a browser: pages of other origins and names that were made to
 * point here (DNS rebinding) are refused.
 */
export function createAccess(token: string | null): Access {
  const expected = token === null ? null : digest(token)

  function bears(request: FastifyRequest): boolean {
    if (expected === null) return true
    const match = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')
    // Digests have one length, so the comparison tells nothing about the token's.
    return timingSafeEqual(digest(match?.[1] ?? ''), expected)
  }

  return {
    check(request) {
      if (expected === null) {
        assertOwnBrowser(request)
        return
      }
      if (bears(request)) return
      const given = request.headers.authorization !== undefined
      throw new DoorError(
        'unauthorized',
        given ? 'The token is not the one of this worker.' : 'The request carries no token.',
        {
          remedy: 'Send "Authorization: Bearer TOKEN" with the value of HALDANE_TOKEN.',
          headers: {
            'www-authenticate': given
              ? 'Bearer realm="haldane", error="invalid_token"'
              : 'Bearer realm="haldane"',
          },
        },
      )
    },
    isTrusted: bears,
  }
}
