import { z } from 'zod'
import { LARGEST_COUNT, LARGEST_SQUARES, LARGEST_SUM } from './metrics-number.ts'

const count = (about: string) => z.int().min(0).max(LARGEST_COUNT).describe(about)
const latency = () => z.number().min(0).max(86_400_000)

const moments = (about: string, smallest: number) =>
  z
    .strictObject({
      n: count('Requests that carry a value.'),
      sum: z.number().min(smallest).max(LARGEST_SUM).describe('Sum of the values.'),
      sum_sq: z.number().min(0).max(LARGEST_SQUARES).describe('Sum of the squares.'),
    })
    .describe(about)

const histogram = z
  .strictObject({
    le: z
      .record(
        z.string().regex(/^(?:\+Inf|[0-9.][0-9.eE+-]*)$/),
        count('Latencies of at most the edge.'),
      )
      .describe(
        'Cumulative counts by upper edge in milliseconds, as in a Prometheus histogram; "+Inf" holds all requests that have a latency.',
      )
      .meta({ required: ['+Inf'] }),
  })
  .describe('A histogram.')

const points = z
  .strictObject({
    p50: latency().optional().describe('Median.'),
    p90: latency().optional().describe('90 % are not above it.'),
    p95: latency().optional().describe('95 % are not above it.'),
    p99: latency().optional().describe('99 % are not above it.'),
  })
  .describe('Quantiles in milliseconds, without counts: their uncertainty is not known.')
  .meta({ minProperties: 1 })

const row = z.strictObject({
  version: z
    .string()
    .min(1)
    .describe('Stable or canary of the release; rows of other versions are left out.'),
  locale: z.string().optional().describe('BCP 47; missing is und.'),
  device: z.string().optional().describe('Kind of device; missing is unknown.'),
  requests: count(
    'Requests that were not cancelled; needed beside counts, and in every row or none.',
  ).optional(),
  errors: count('Of the requests: error, timeout, rejected.').optional(),
  error_rate: z.number().min(0).max(1).optional().describe('Where there is no count of errors.'),
  latency_ms: z
    .union([histogram, points])
    .optional()
    .describe('A histogram (le), or quantiles without counts (p50 … p99).'),
  quality: moments('Scores from 0 to 1.', 0).optional(),
  kpi: z
    .record(z.string(), moments('Values within the bounds of the release file.', -LARGEST_SUM))
    .optional()
    .describe('By name of the KPI.'),
})

/** The metrics file as it is published; `readMetricsFile` checks more and says where. */
export const metricsFileSchema = z
  .strictObject({
    window: z
      .strictObject({
        start: z.string().meta({ format: 'date-time' }).describe('Start of the window.'),
        end: z.string().meta({ format: 'date-time' }).describe('Its end, after the start.'),
      })
      .describe("What the numbers cover; compared with the step's min_duration."),
    rows: z.array(row).min(1).describe('One a version and cohort.'),
  })
  .meta({
    title: 'Metrics file',
    description: 'Aggregated numbers of both versions in one window, for haldane judge.',
  })
