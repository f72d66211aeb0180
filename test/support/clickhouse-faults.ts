/** Makes the front misbehave as a server and a network may. */
export interface FrontFault {
  /** Pattern of the statements it is for, case ignored. */
  readonly statement: string
  readonly kind:
    | 'cut_before'
    | 'cut_after'
    | 'cut_amid'
    | 'refuse'
    | 'fail_amid'
    | 'answer'
    | 'delay_before'
    | 'delay_after'
  /** How many matching statements are let through first. */
  readonly skip?: number
  /** How many are hit; default 1. */
  readonly times?: number
  /** Of `refuse` and `fail_amid`: code and name of the engine's error. */
  readonly error?: readonly [code: number, name: string]
  /** Of `answer`: status and body, as of a proxy. */
  readonly answer?: readonly [status: number, body: string]
  /** Of the delays. */
  readonly ms?: number
}

export interface FrontFaults {
  add(fault: FrontFault): void
  clear(): void
  /** Statements that wait at this moment because of `delay_before`. */
  delayed: number
  /** The fault for this statement, if any. */
  take(sql: string): FrontFault | null
}

export function createFrontFaults(): FrontFaults {
  let open: { readonly fault: FrontFault; skip: number; times: number }[] = []
  return {
    delayed: 0,
    add: (fault) => open.push({ fault, skip: fault.skip ?? 0, times: fault.times ?? 1 }),
    clear() {
      open = []
    },
    take(sql) {
      for (const entry of open) {
        if (entry.times === 0 || !new RegExp(entry.fault.statement, 'i').test(sql)) continue
        if (entry.skip > 0) {
          entry.skip--
          continue
        }
        entry.times--
        return entry.fault
      }
      return null
    },
  }
}
