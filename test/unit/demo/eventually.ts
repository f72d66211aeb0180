import { vi } from 'vitest'

/** Waits until the check no longer throws; long enough for a busy machine. */
export function eventually(check: () => void, timeoutMs = 4500): Promise<void> {
  return vi.waitFor(check, { timeout: timeoutMs, interval: 5 })
}
