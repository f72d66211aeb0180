import { toHaldaneError } from '../domain/errors.ts'
import type { Log } from '../ports.ts'

/**
 * What was opened is closed, last opened first, each within the deadline it shares with the others.
 * A failing close does not keep the rest open; all failures are logged with the name.
 */
export interface Lifecycle {
  defer(name: string, close: () => Promise<void> | void): void
  close(): Promise<void>
}

export function createLifecycle(log: Log): Lifecycle {
  const closers: { name: string; close: () => Promise<void> | void }[] = []
  let closing: Promise<void> | null = null

  const closeAll = async () => {
    for (let closer = closers.pop(); closer !== undefined; closer = closers.pop()) {
      const { name } = closer
      try {
        await closer.close()
        log.debug({ resource: name }, 'closed')
      } catch (thrown) {
        log.error({ resource: name }, `closing failed: ${toHaldaneError(thrown).message}`)
      }
    }
  }

  return {
    defer(name, close) {
      closers.push({ name, close })
    },
    close() {
      closing ??= closeAll()
      return closing
    },
  }
}
