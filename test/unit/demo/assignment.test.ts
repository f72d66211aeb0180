import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createAssignment } from '../../../src/demo/assignment.ts'
import { createPopulation } from '../../../src/demo/population.ts'

const split = (canaryWeight: number, salt = 'r/1.2.0', totalWeight = 100) =>
  createAssignment({
    traffic: [
      { version: '1.1.0', role: 'stable', weight: totalWeight - canaryWeight },
      { version: '1.2.0', role: 'canary', weight: canaryWeight },
    ],
    totalWeight,
    salt,
  })

describe('createAssignment', () => {
  it('never moves a canary user back to stable while the weight grows', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000 }),
        fc.array(fc.integer({ min: 0, max: 10_000 }), { minLength: 2, maxLength: 6 }),
        fc.nat(),
        fc.string(),
        (total, weights, user, salt) => {
          const growing = weights.map((weight) => weight % (total + 1)).sort((a, b) => a - b)
          const roles = growing.map((weight) => split(weight, salt, total)(user).role)
          expect(roles.lastIndexOf('stable')).toBeLessThan(
            roles.includes('canary') ? roles.indexOf('canary') : roles.length,
          )
        },
      ),
    )
  })

  it('gives everybody to stable at weight 0 and to the canary at the total', () => {
    for (let user = 0; user < 5000; user++) {
      expect(split(0)(user).version).toBe('1.1.0')
      expect(split(100)(user).version).toBe('1.2.0')
    }
  })

  it('gives the canary its share of the users, counted against the total weight', () => {
    const users = 200_000
    const share = (weight: number, total: number) => {
      const assign = split(weight, 'r/1.2.0', total)
      let canary = 0
      for (let user = 0; user < users; user++) if (assign(user).role === 'canary') canary++
      return canary / users
    }
    // Standard errors: 0.0005 and 0.001.
    expect(Math.abs(share(5, 100) - 0.05)).toBeLessThan(0.002)
    expect(Math.abs(share(250, 1000) - 0.25)).toBeLessThan(0.004)
  })

  it('splits the users of each release independently of other releases and of who they are', () => {
    const population = createPopulation([
      { locale: 'en-US', recordedShare: 1, share: 0.5, devices: [{ device: 'mobile', share: 1 }] },
      { locale: 'de-DE', recordedShare: 1, share: 0.5, devices: [{ device: 'mobile', share: 1 }] },
    ])
    const [a, b] = [split(25, 'r/1.0.0'), split(25, 'r/1.2.0')]
    let canaries = 0
    let both = 0
    let german = 0
    for (let user = 0; user < 100_000; user++) {
      if (a(user).role !== 'canary') continue
      canaries++
      if (b(user).role === 'canary') both++
      if (population.user(user).locale === 'de-DE') german++
    }
    expect(Math.abs(both / canaries - 0.25)).toBeLessThan(0.012)
    expect(Math.abs(german / canaries - 0.5)).toBeLessThan(0.014)
  })

  it('serves everybody with the only version there is', () => {
    const assign = createAssignment({
      traffic: [{ version: '1.1.0', role: 'stable', weight: 100 }],
      totalWeight: 100,
      salt: '',
    })
    expect(assign(3)).toEqual({ version: '1.1.0', role: 'stable', weight: 100 })
  })
})
