import { describe, expect, it } from 'vitest'
import { usersOf } from '../../../../src/adapters/clickhouse/user-text.ts'

describe('the users of a cell', () => {
  it('are none without a text', () => {
    expect(usersOf('', 2, 1)).toBeUndefined()
  })

  it('have what was left out filled in from the requests, or with zeros', () => {
    expect(usersOf('0,63 1,5      ', 1, 0)).toEqual({
      ...{ buckets: [0, 63], requests: [1, 5], errors: [0, 0], latencies: [1, 5] },
      ...{ overLimit: [[0, 0]], overSlowBin: [[0, 0]] },
      ...{ qualityN: [1, 5], qualitySum: [0, 0], kpiN: [], kpiSum: [] },
    })
  })

  it('have every measure in its place', () => {
    const text = '3,4 9,8 1,2 7,6 5,4 3,2 2,1 1,0 4,4 3000000,2000000 8,7 -1000000,500000 6,5 1,-1'
    expect(usersOf(text, 2, 2)).toEqual({
      ...{ buckets: [3, 4], requests: [9, 8], errors: [1, 2], latencies: [7, 6] },
      overLimit: [
        [5, 4],
        [3, 2],
      ],
      overSlowBin: [
        [2, 1],
        [1, 0],
      ],
      ...{ qualityN: [4, 4], qualitySum: [3, 2] },
      kpiN: [
        [8, 7],
        [6, 5],
      ],
      kpiSum: [
        [-1, 0.5],
        [0.000001, -0.000001],
      ],
    })
  })

  it('had no slow bins when the block was closed without', () => {
    expect(usersOf('5 1     ', 1, 0)?.overSlowBin).toEqual([])
  })

  it('have sums beyond 2^53 as near as a number comes', () => {
    const sum = '-170141183460469231731687303715884105727'
    expect(usersOf(`5 1     1 ${sum}`, 0, 1)?.kpiSum).toEqual([[Number(BigInt(sum)) / 1e6]])
    expect(usersOf('5 1     1 999999999999999', 0, 1)?.kpiSum).toEqual([[999999999.999999]])
  })
})
