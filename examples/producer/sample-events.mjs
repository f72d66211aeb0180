import { randomUUID } from 'node:crypto'

/** Events of a made-up model: nine in ten requests go to the stable version. */
export function* sampleEvents(count) {
  for (let number = 0; number < count; number++) {
    const failed = Math.random() < 0.005
    yield {
      request_id: randomUUID(), // the same for a repeat: duplicates are counted once
      occurred_at: new Date().toISOString(), // when the request began
      model_name: 'intent-classifier',
      environment: 'production',
      model_version: Math.random() < 0.1 ? '1.5.0' : '1.4.2', // what the router picked
      outcome: failed ? 'error' : 'ok', // ok, error, timeout, rejected, cancelled
      latency_ms: Number((20 + 40 * Math.random()).toFixed(2)),
      locale: Math.random() < 0.5 ? 'de-DE' : 'en-US',
      device: Math.random() < 0.5 ? 'mobile' : 'desktop',
      quality_score: Number((0.8 + 0.2 * Math.random()).toFixed(3)), // 0…1, where you have one
    }
  }
}
