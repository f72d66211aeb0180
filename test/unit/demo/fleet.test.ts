import { describe, expect, it, onTestFinished } from 'vitest'
import { decodeEventLine } from '../../../src/contract/request-event-decoder.ts'
import { createFleet, type FleetOptions, type FleetParts } from '../../../src/demo/fleet.ts'
import { createPopulation, sessionIdOf } from '../../../src/demo/population.ts'
import { eventually } from './eventually.ts'

const population = createPopulation(
  [
    { locale: 'en-US', recordedShare: 1, share: 0.5, devices: [{ device: 'mobile', share: 1 }] },
    { locale: 'de-DE', recordedShare: 1, share: 0.5, devices: [{ device: 'desktop', share: 1 }] },
  ],
  5000,
)

function openFleet(parts: Partial<FleetParts> = {}, options: Partial<FleetOptions> = {}) {
  const lines: string[] = []
  const asked: { version: string; text: string }[] = []
  const fleet = createFleet(
    {
      models: {
        versions: ['1.1.0'],
        predict: (version, text) => {
          asked.push({ version, text })
          return 'en'
        },
      },
      population,
      snippets: new Map([
        ['en-US', ['one', 'two', 'three']],
        ['de-DE', ['eins', 'zwei', 'drei']],
      ]),
      router: {
        assign: () => ({ version: '1.1.0', role: 'stable', weight: 100 }),
        state: () => ({ appliedGeneration: 4 }),
      },
      sink: (line) => lines.push(line),
      ...parts,
    },
    {
      modelName: 'language-identifier',
      environment: 'production',
      ratePerSecond: 5000,
      seed: 1,
      runId: 'run',
      sliceMs: 2,
      ...options,
    },
  )
  onTestFinished(() => fleet.stop())
  const events = () => lines.map((line) => JSON.parse(line) as Record<string, unknown>)
  const served = async (n: number) => {
    fleet.start()
    await eventually(() => expect(lines.length).toBeGreaterThanOrEqual(n))
    fleet.stop()
    return events()
  }
  return { fleet, lines, asked, served }
}

describe('createFleet', () => {
  it('writes events that the published schema takes, with nothing left out', async () => {
    const { served, lines } = openFleet()
    const before = Date.now()
    const events = await served(50)
    for (const line of lines) {
      const decoded = decodeEventLine(new TextEncoder().encode(line))
      if (Array.isArray(decoded)) throw new Error(JSON.stringify(decoded))
      const { event } = decoded
      expect(event).toMatchObject({
        modelName: 'language-identifier',
        environment: 'production',
        modelVersion: '1.1.0',
        variant: 'stable',
        outcome: 'ok',
        qualityMetric: 'language_correct',
        predictionLabel: 'en',
        decisionGeneration: 4,
        localeReplaced: false,
        deviceReplaced: false,
      })
      expect(event.latencyMs).toBeGreaterThan(0)
      expect(event.occurredAtMs).toBeGreaterThanOrEqual(before)
      expect(event.occurredAtMs).toBeLessThanOrEqual(Date.now())
    }
    expect(new Set(events.map((event) => event['request_id'])).size).toBe(events.length)
    expect(events[0]?.['request_id']).toBe('run-1')
  })

  it('scores an answer by the language of the user and asks with a text of the user’s locale', async () => {
    const { served, asked } = openFleet()
    const events = await served(100)
    const texts = { 'en-US': ['one', 'two', 'three'], 'de-DE': ['eins', 'zwei', 'drei'] }
    for (const [i, event] of events.entries()) {
      const locale = event['locale'] as keyof typeof texts
      expect(event['quality_score']).toBe(locale === 'en-US' ? 1 : 0)
      expect(event['device']).toBe(locale === 'en-US' ? 'mobile' : 'desktop')
      expect(texts[locale]).toContain(asked[i]?.text)
    }
    expect(new Set(events.map((event) => event['locale'])).size).toBe(2)
  })

  it('lets the router choose the version for each user and calls that version', async () => {
    const { served, asked, fleet } = openFleet({
      router: {
        assign: (user) =>
          user % 2 === 0
            ? { version: '1.1.0', role: 'stable', weight: 50 }
            : { version: '1.2.0', role: 'canary', weight: 50 },
        state: () => ({ appliedGeneration: null }),
      },
    })
    const events = await served(200)
    expect(events.map((event) => event['model_version'])).toEqual(
      asked.map(({ version }) => version),
    )
    const canary = events.filter((event) => event['variant'] === 'canary')
    expect(canary.length).toBeGreaterThan(0)
    expect(canary.every((event) => event['model_version'] === '1.2.0')).toBe(true)
    expect(events.some((event) => 'decision_generation' in event)).toBe(false)
    expect(fleet.takeCounts()).toEqual({
      requests: events.length,
      errors: 0,
      skipped: 0,
      byVersion: { '1.1.0': events.length - canary.length, '1.2.0': canary.length },
    })
    expect(fleet.takeCounts().requests).toBe(0)
  })

  it('serves the same users with the same texts for the same seed', async () => {
    const run = async (seed: number) => {
      const { served, asked } = openFleet({}, { seed })
      const events = await served(60)
      return events.slice(0, 60).map((event, i) => [event['session_id'], asked[i]?.text])
    }
    const first = await run(9)
    expect(await run(9)).toEqual(first)
    expect(await run(10)).not.toEqual(first)
    const known = new Set(Array.from({ length: population.size }, (_, user) => sessionIdOf(user)))
    expect(first.every(([session]) => known.has(String(session)))).toBe(true)
  })

  it('reports a model that throws as an error without a score, and goes on', async () => {
    const { served, fleet } = openFleet({
      models: {
        versions: ['1.1.0'],
        predict: () => {
          throw new RangeError('broken')
        },
      },
    })
    const events = await served(20)
    for (const event of events) {
      expect(event).toMatchObject({ outcome: 'error', error_type: 'RangeError' })
      expect(event).not.toHaveProperty('quality_score')
      expect(event).not.toHaveProperty('prediction_label')
    }
    expect(fleet.takeCounts().errors).toBe(events.length)
  })

  it('drops arrivals that waited too long instead of serving them in one burst', async () => {
    const { fleet, lines } = openFleet({}, { ratePerSecond: 2000 })
    fleet.start()
    const until = performance.now() + 1000
    while (performance.now() < until);
    await eventually(() => expect(lines.length).toBeGreaterThan(0))
    fleet.stop()
    const { skipped } = fleet.takeCounts()
    // 750 ms of 2,000 a second; what was served are the last 250 ms.
    expect(skipped).toBeGreaterThan(1200)
    expect(lines.length).toBeLessThan(skipped)
  })
})
