import { createMemoryBus } from '../../../../src/adapters/memory/bus.ts'
import { describeBus, REBALANCE_TIMEOUT_MS } from '../../../contract/bus.contract.ts'
import { realClock } from '../../../support/bus-probe.ts'

describeBus('the in-process bus', async () =>
  createMemoryBus({ clock: realClock, rebalanceTimeoutMs: REBALANCE_TIMEOUT_MS }),
)
