const TICKS = 4

export interface Watchdog {
  sign(): void
  stop(): void
}

/**
 * Tells when there was no sign of life for the given time. It counts its own ticks, so that a
 * process that was suspended does not take its sleep for the silence of others.
 */
export function createWatchdog(silenceMaxMs: number, onSilence: () => void): Watchdog {
  let silentTicks = 0
  const timer = setInterval(() => {
    silentTicks++
    if (silentTicks <= TICKS) return
    clearInterval(timer)
    onSilence()
  }, silenceMaxMs / TICKS)
  return {
    sign() {
      silentTicks = 0
    },
    stop() {
      clearInterval(timer)
    },
  }
}
