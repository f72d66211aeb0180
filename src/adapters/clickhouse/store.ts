import { z } from 'zod'
import { HaldaneError, toHaldaneError } from '../../domain/errors.ts'
import type { Clock, Log, Store } from '../../ports.ts'
import { createAckStore } from './ack-store.ts'
import { createAnomalyCounts } from './anomalies.ts'
import { createBlockStore } from './block-store.ts'
import { createChunkPool } from './chunk-pool.ts'
import { createDecisionStore } from './decision-store.ts'
import type { Engine } from './engine.ts'
import { EVENT_ROWS } from './event-rows.ts'
import { createEventStore } from './event-store.ts'
import { FEEDBACK_ROWS } from './feedback-rows.ts'
import { MIGRATIONS_DIR } from './migration-files.ts'
import { applyMigrations, pendingMigrations } from './migrations.ts'
import { createQueryStore } from './query-store.ts'
import { createRecordTimes } from './record-time.ts'
import { createReleaseStore } from './release-store.ts'
import type { NamedQuery } from './sql-connection.ts'

export interface StoreOptions {
  readonly clock: Clock
  readonly log: Log
  /** Where the migrations are; the package's own unless a test says otherwise. */
  readonly migrationsDir?: string
}

const PING: NamedQuery<{ alive: number }> = {
  name: 'ping',
  sql: 'SELECT 1 AS alive',
  row: z.object({ alive: z.int() }),
}

/** The store over any ClickHouse. Its tables must have been migrated, by `migrate`, before use. */
export function createStore(engine: Engine, options: StoreOptions): Store {
  const { clock, log, migrationsDir = MIGRATIONS_DIR } = options
  const recordTime = createRecordTimes(clock)
  const events = { engine, pool: createChunkPool(), recordTime, clock, log }
  return {
    ...createEventStore({ ...events, rows: EVENT_ROWS }),
    feedback: createEventStore({ ...events, rows: FEEDBACK_ROWS }),
    ...createBlockStore(engine, recordTime),
    ...createAnomalyCounts(engine.analysis),
    ...createReleaseStore(engine.analysis, recordTime),
    ...createDecisionStore(engine.analysis, recordTime),
    ...createAckStore(engine.analysis),
    ...createQueryStore(engine.analysis),
    migrate: () => applyMigrations(engine.analysis, migrationsDir, { clock, log }),
    pendingMigrations: () => pendingMigrations(engine.analysis, migrationsDir, log),
    async ping() {
      await engine.probe.select(PING).catch((thrown: unknown) => {
        const failure = toHaldaneError(thrown)
        if (failure.code === 'store_unavailable') throw failure
        throw new HaldaneError(
          'store_unavailable',
          `the store does not answer: ${failure.message}`,
          {
            retryable: true,
            cause: thrown,
          },
        )
      })
    },
    close: () => engine.close(),
  }
}
