import type { TestProject } from 'vitest/node'
import { startBroker } from './broker.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Addresses of the broker that all end-to-end tests of a run share. */
    kafkaBrokers: string[]
  }
}

/** One broker for the whole run of the end-to-end tests; without one the run fails. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const broker = await startBroker()
  project.provide('kafkaBrokers', broker.brokers)
  return () => broker.stop()
}
