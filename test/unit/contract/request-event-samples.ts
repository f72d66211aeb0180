import fc from 'fast-check'

/** The event of the documentation. */
export const SAMPLE = {
  request_id: 'r-1',
  occurred_at: '2026-11-23T10:00:00.123Z',
  model_name: 'intent-classifier',
  environment: 'production',
  model_version: '1.5.0',
  outcome: 'ok',
  latency_ms: 41.2,
  locale: 'de-DE',
  device: 'mobile',
  quality_score: 0.93,
}

const text = (minLength: number, maxLength: number) =>
  fc.string({ unit: 'binary', minLength, maxLength }).filter((value) => !value.includes('\0'))
const number = (min: number, max: number) =>
  fc.oneof(fc.double({ min, max, noNaN: true }), fc.constantFrom(min, max))
const integer = (min: number, max: number) =>
  fc.oneof(fc.integer({ min, max }), fc.constantFrom(min, max))
const largest = Number.MAX_SAFE_INTEGER

const required = {
  request_id: text(1, 128),
  model_name: fc.stringMatching(/^[A-Za-z0-9._/-]{1,128}$/),
  model_version: fc.constantFrom('1.5.0', '0.0.0', '1.5.0-rc.1+build.7', '10.20.30'),
  outcome: fc.constantFrom('ok', 'error', 'timeout', 'cancelled', 'rejected'),
  latency_ms: number(0, 86_400_000),
}

const optional = {
  occurred_at: fc
    .date({ min: new Date(0), max: new Date(Date.UTC(2106, 0, 1) - 1), noInvalidDate: true })
    .map((date) => date.toISOString()),
  variant: text(1, 64),
  environment: fc.stringMatching(/^[A-Za-z0-9._-]{1,64}$/),
  traffic: fc.constantFrom('live', 'shadow'),
  status_code: integer(100, 599),
  error_type: text(0, 128),
  ttft_ms: number(0, 86_400_000),
  quality_score: number(0, 1),
  quality_metric: text(0, 128),
  prediction_label: text(0, 256),
  confidence: number(0, 1),
  input_tokens: integer(0, 4_294_967_295),
  output_tokens: integer(0, 4_294_967_295),
  kpi: fc.dictionary(fc.stringMatching(/^[A-Za-z0-9_.-]{1,64}$/), number(-1e9, 1e9), {
    maxKeys: 8,
  }),
  locale: fc.oneof(fc.constantFrom('de-DE', 'en_us', 'x', ''), fc.string()),
  device: fc.oneof(fc.constantFrom('mobile', 'TV', 'phone', ''), fc.string()),
  region: text(0, 64),
  session_id: text(0, 128),
  release_id: text(0, 256),
  decision_generation: integer(0, largest),
  memory_bytes: integer(0, largest),
  memory_limit_bytes: integer(0, largest),
  sample_rate: number(Number.MIN_VALUE, 1),
  is_synthetic: fc.boolean(),
  attributes: fc.dictionary(text(1, 64), text(0, 256), { maxKeys: 16 }),
}

export const FIELDS = [...Object.keys(required), ...Object.keys(optional)]

/** Events in wire form that keep every rule. */
export const validEvent: fc.Arbitrary<Record<string, unknown>> = fc
  .tuple(fc.record(required), fc.record(optional, { requiredKeys: [] }))
  .map(([first, second]) => ({ ...first, ...second }))

const nested = (depth: number): unknown => JSON.parse('['.repeat(depth) + ']'.repeat(depth))
const named = (names: number, value: unknown) =>
  Object.fromEntries(Array.from({ length: names }, (_, index) => [`name${index}`, value]))
/** As JSON.parse makes it: an own property, no prototype. */
const withProto = (proto: unknown, real: unknown): unknown =>
  JSON.parse(`{"__proto__":${JSON.stringify(proto)},"real":${JSON.stringify(real)}}`)

const LENGTHS = [0, 1, 63, 64, 65, 127, 128, 129, 255, 256, 257]
const BOUNDS = [0, 1, 99, 100, 599, 600, 86_400_000, 4_294_967_295, 1e9, -1e9, largest]

/** Values at, beside and beyond every bound, of every type, with every kind of name. */
export const STRANGE: readonly unknown[] = [
  ...[null, undefined, true, false, [], {}, nested(50), -0, 0.5, 1.5, -1, -0.1, 1.0000001],
  ...[Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 2 ** 53, 1e308, 5e-324],
  ...['NaN', '1', 'ok', 'OK', 'live', 'LIVE', 'true', '1.5', 'v1.5.0', '01.0.0', 'a b', 'a/b'],
  ...['a\0b', '\ud800', 'x\udc00', '\ufffd', '__proto__', 'constructor', 'ä', '\n'],
  ...['2026-02-29T00:00:00Z', '1969-12-31T23:59:59.999Z', '2106-01-01T00:00:00.000Z'],
  ...['2026-11-23T10:00:00+14:00', '2026-11-23T10:00:60Z', '2026-11-23 10:00:00Z'],
  ...[named(8, 1), named(9, 1), named(16, 'x'), named(17, 'x'), named(1, null), named(1, 'x')],
  ...[withProto(1, 1), withProto('x', 'x'), withProto({}, 1), withProto({}, 'x')],
  ...[
    JSON.parse('{"__proto__":1}'),
    JSON.parse('{"__proto__":"x"}'),
    { 'a b': 1 },
    { '': 1 },
    { '': 'x' },
  ],
  ...[{ constructor: 1 }, { toString: 'x' }, { a: 1e9 }, { a: 1e9 + 1 }, { a: -1e9 - 1 }],
  ...[{ a: Number.NaN }, { a: -0 }, { 'a\0': 'x' }, { a: 'x\0' }, { '\ud800': 'x' }, [1], ['x']],
  ...[{ 1: 1 }, { 2: 'x', 1: 'y' }, ...LENGTHS.map((length) => 'x'.repeat(length))],
  ...LENGTHS.map((length) => '😀'.repeat(length)),
  ...LENGTHS.map((length) => ({ ['k'.repeat(length)]: 1 })),
  ...LENGTHS.map((length) => ({ ['😀'.repeat(length)]: 'x' })),
  ...LENGTHS.map((length) => ({ name: '😀'.repeat(length) })),
  ...[64, 65].map((length) => `1.0.0-${'a'.repeat(length - 6)}`),
  ...BOUNDS.flatMap((bound) => [bound - 1, bound, bound + 1]),
]

const strange: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(...STRANGE),
  fc.double(),
  fc.string({ unit: 'binary' }),
  fc.jsonValue(),
)

/** Valid events with up to three fields changed, removed, or added under a name that does not exist. */
export const mutatedEvent: fc.Arbitrary<Record<string, unknown>> = fc
  .tuple(
    validEvent,
    fc.array(
      fc.record({
        field: fc.constantFrom(...FIELDS, ...FIELDS, 'unknown_field', 'constructor', 'toString'),
        value: strange,
        chance: fc.nat({ max: 3 }),
      }),
      { maxLength: 3 },
    ),
  )
  .map(([event, mutations]) => {
    const mutated = { ...event }
    for (const { field, value, chance } of mutations) {
      if (chance === 0) delete mutated[field]
      else mutated[field] = value
    }
    return mutated
  })
