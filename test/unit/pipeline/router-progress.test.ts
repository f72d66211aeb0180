import { describe, expect, it } from 'vitest'
import { routerProgress } from '../../../src/pipeline/router-progress.ts'

const START = 1_000_000_000
const of = { generation: 7, sinceMs: START, heartbeatMs: 60_000 }

function ack(routerId: string, appliedGeneration: number, afterMs: number) {
  return { route: 'm/production', routerId, appliedGeneration, appliedAtMs: START + afterMs }
}

describe('the progress of routers', () => {
  it('is unknown without an ack of this release', () => {
    expect(routerProgress([], of)).toBeNull()
    expect(routerProgress([ack('old', 9, -1)], of)).toBeNull()
  })

  it('is reached when the last of them has applied the generation or a later one', () => {
    expect(routerProgress([ack('b', 7, 500), ack('a', 8, 900)], of)).toEqual({
      inForceFromMs: START + 900,
      lagging: [],
    })
  })

  it('waits for those that are behind, and names them', () => {
    expect(routerProgress([ack('c', 6, 500), ack('b', 7, 900), ack('a', 5, 0)], of)).toEqual({
      inForceFromMs: null,
      lagging: ['a', 'c'],
    })
  })

  it('waits for a router that is the only one, however long it says nothing', () => {
    expect(routerProgress([ack('a', 6, 0)], of)?.lagging).toEqual(['a'])
  })

  it('waits no longer for a router that was silent for ten heartbeats while others were not', () => {
    const other = ack('b', 9, 600_001)
    expect(routerProgress([ack('a', 6, 1), other], of)?.lagging).toEqual(['a'])
    expect(routerProgress([ack('a', 6, 0), other], of)).toEqual({
      inForceFromMs: START + 600_001,
      lagging: [],
    })
    const slow = { ...of, heartbeatMs: 120_000 }
    expect(routerProgress([ack('a', 6, 0), other], slow)?.lagging).toEqual(['a'])
  })
})
