/** Every metric a worker exposes, by kind. */
export type CounterName =
  | 'haldane_events_consumed_total'
  | 'haldane_events_rejected_total'
  | 'haldane_decisions_total'
  | 'haldane_blocks_closed_total'
  | 'haldane_publish_failures_total'

export type GaugeName =
  | 'haldane_watermark_timestamp_seconds'
  | 'haldane_consumer_lag_messages'
  | 'haldane_release_weight'
  | 'haldane_release_phase'

export type HistogramName =
  `haldane_${'insert_batch_rows' | 'insert_duration_seconds' | 'tick_duration_seconds'}`
