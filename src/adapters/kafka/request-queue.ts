import { createRequire } from 'node:module'

interface RequestQueue {
  readonly pending: readonly unknown[]
  scheduleCheckPendingRequests(): void
}

/**
 * kafkajs 2.2.4 arms a timer with a negative delay after every response, and that timer arms the
 * next (its issue 1751): a thousand wake-ups a second on every idle connection, and a warning from
 * Node 24. A timer is of use only while requests wait; queueing one arms it again.
 */
export function calmRequestQueue(): void {
  const load = createRequire(import.meta.url)
  const { prototype } = load('kafkajs/src/network/requestQueue') as { prototype: RequestQueue }
  const arm = prototype.scheduleCheckPendingRequests
  if (typeof arm !== 'function' || arm.name === 'armWhileWaiting') return
  prototype.scheduleCheckPendingRequests = function armWhileWaiting(this: RequestQueue) {
    if (this.pending.length > 0) arm.call(this)
  }
}
