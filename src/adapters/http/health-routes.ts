import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Health, WorkerApi } from '../../contract/worker-api.ts'
import { toHaldaneError } from '../../domain/errors.ts'
import type { Access } from './access.ts'
import { addEndpoint, hasQuery, sendJson } from './endpoint.ts'

/** Addresses for probes, which carry no token. */
export const HEALTH_URLS = ['/livez', '/readyz', '/healthz']

async function readiness(api: WorkerApi, draining: boolean): Promise<Health> {
  const own = {
    name: 'shutdown',
    ok: !draining,
    detail: draining ? 'the worker is shutting down' : '',
  }
  try {
    const health = await api.ready()
    return { ok: health.ok && !draining, checks: [...health.checks, own] }
  } catch (thrown) {
    const failed = { name: 'worker', ok: false, detail: toHaldaneError(thrown).message }
    return { ok: false, checks: [failed, own] }
  }
}

function sendHealth(
  request: FastifyRequest,
  reply: FastifyReply,
  health: Health,
  shown: { name: string; version: string; details: boolean },
): FastifyReply {
  reply.header('cache-control', 'no-store')
  const status = health.ok ? 200 : 503
  // Details may name hosts; who carries no token learns only which part is not well.
  const checks = health.checks.map((check) => ({
    name: check.name,
    ok: check.ok,
    detail: shown.details ? check.detail : check.ok ? '' : 'withheld: send the token to see it',
  }))
  if (!hasQuery(request, 'verbose')) {
    return sendJson(reply, status, {
      status: health.ok ? 'ok' : 'failed',
      version: shown.version,
      checks,
    })
  }
  const lines = checks.map(
    ({ name, ok, detail }) => `[${ok ? '+' : '-'}]${name} ${ok ? 'ok' : `failed: ${detail}`}\n`,
  )
  const summary = `${shown.name} check ${health.ok ? 'passed' : 'failed'}\n`
  return reply
    .code(status)
    .type('text/plain; charset=utf-8')
    .send(lines.join('') + summary)
}

/**
 * `/livez` and its alias `/healthz` say that the process answers, and ask nobody else: a store that
 * is away must not restart every worker. `/readyz` is 503 until the worker is ready and while it
 * drains.
 */
export function addHealthRoutes(
  app: FastifyInstance,
  deps: { api: WorkerApi; access: Access; version: string; draining: () => boolean },
): void {
  const alive: Health = { ok: true, checks: [{ name: 'ping', ok: true, detail: '' }] }
  for (const name of ['livez', 'healthz']) {
    addEndpoint(app, `/${name}`, {
      GET: {
        handle: async (request, reply) =>
          sendHealth(request, reply, alive, { name, version: deps.version, details: true }),
      },
    })
  }
  addEndpoint(app, '/readyz', {
    GET: {
      handle: async (request, reply) => {
        const health = await readiness(deps.api, deps.draining())
        const details = deps.access.isTrusted(request)
        return sendHealth(request, reply, health, {
          name: 'readyz',
          version: deps.version,
          details,
        })
      },
    },
  })
  addEndpoint(app, '/metrics', {
    GET: {
      handle: async (_request, reply) =>
        reply
          .header('cache-control', 'no-store')
          .type('text/plain; version=0.0.4; charset=utf-8')
          .send(await deps.api.metrics()),
    },
  })
}
