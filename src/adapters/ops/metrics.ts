import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { CounterName, GaugeName, HistogramName } from '../../domain/metric-names.ts'
import type { Metrics } from '../../ports.ts'

/** Every counter with what it counts and its labels. */
export const COUNTERS: Record<CounterName, { help: string; labels: string[] }> = {
  haldane_events_consumed_total: {
    help: 'Events taken from the bus, by topic',
    labels: ['topic', 'result'],
  },
  haldane_events_rejected_total: {
    help: 'Rejected events by topic and reason',
    labels: ['topic', 'code'],
  },
  haldane_decisions_total: { help: 'Decisions published', labels: ['action'] },
  haldane_blocks_closed_total: { help: 'Blocks closed and judged', labels: [] },
  haldane_publish_failures_total: { help: 'Failed attempts to publish a decision', labels: [] },
}

export const GAUGES: Record<GaugeName, { help: string; labels: string[] }> = {
  haldane_watermark_timestamp_seconds: {
    help: 'Event time up to which every active partition is stored',
    labels: [],
  },
  haldane_consumer_lag_messages: {
    help: 'Records of the partition that are not stored yet',
    labels: ['topic', 'partition'],
  },
  haldane_release_weight: { help: 'Present weight of a version', labels: ['release', 'version'] },
  haldane_release_phase: {
    help: '1 for the present phase of a release',
    labels: ['release', 'phase'],
  },
}

export const HISTOGRAMS: Record<HistogramName, { help: string; buckets: number[] }> = {
  haldane_insert_batch_rows: {
    help: 'Rows of a batch sent to the store',
    buckets: [1, 10, 100, 1000, 5000, 20_000, 50_000, 100_000],
  },
  haldane_insert_duration_seconds: {
    help: 'Time to store a batch',
    buckets: [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
  },
  haldane_tick_duration_seconds: {
    help: 'Time to close and judge all that is closable',
    buckets: [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
  },
}

export interface MetricsRegistry extends Metrics {
  /** Prometheus text exposition. */
  expose(): Promise<string>
}

export function createMetrics(version: string): MetricsRegistry {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry, prefix: 'haldane_' })
  const info = { name: 'haldane_build_info', help: 'Version that runs', labelNames: ['version'] }
  new Gauge({ ...info, registers: [registry] }).set({ version }, 1)
  const registers = [registry]
  const counters = mapValues(COUNTERS, (name, { help, labels }) => {
    return new Counter({ name, help, labelNames: labels, registers })
  })
  const gauges = mapValues(GAUGES, (name, { help, labels }) => {
    return new Gauge({ name, help, labelNames: labels, registers })
  })
  const histograms = mapValues(HISTOGRAMS, (name, { help, buckets }) => {
    return new Histogram({ name, help, buckets, registers })
  })
  return {
    count: (name, labels, by = 1) => counters[name].inc(labels, by),
    gauge: (name, labels, value) => gauges[name].set(labels, value),
    observe: (name, value) => histograms[name].observe(value),
    expose: () => registry.metrics(),
  }
}

export const noMetrics: Metrics = {
  count: () => undefined,
  gauge: () => undefined,
  observe: () => undefined,
}

function mapValues<K extends string, V, R>(
  source: Record<K, V>,
  make: (key: K, value: V) => R,
): Record<K, R> {
  const entries = Object.entries(source) as [K, V][]
  return Object.fromEntries(entries.map(([key, value]) => [key, make(key, value)])) as Record<K, R>
}
