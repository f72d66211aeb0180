import { CANARY_VERSION, mulberry32, STABLE_VERSION } from '../../support/event-generator.ts'

/** Values that are wrong for most fields, at a bound, or hard to parse; as JSON text. */
const VALUES: readonly string[] = [
  ...['null', 'true', 'false', '0', '-0', '-0.0', '1', '-1', '0.5', '1e-400', '1e400', '-1e400'],
  ...['1E+308', '5e-324', '9007199254740991', '9007199254740993', '4294967295', '4294967296'],
  ...['86400000', '86400000.000001', '1.0000000000000002', `1${'0'.repeat(400)}`, '32767', '599'],
  ...['""', '"ok"', '"error"', '"timeout"', '"live"', '"stable"', '"1.5.0"', '"1.5"', '"\\u0000"'],
  ...['"\\ud800"', '"a\\udfffb"', '"\\ud83d\\ude00"', '"\\ufffd"', '"\\u2028"', '"\\"\\\\\\/"'],
  ...['"1970-01-01T00:00:00Z"', '"2105-12-31T23:59:59.999Z"', '"2106-01-01T00:00:00Z"'],
  ...['"2026-02-30T00:00:00Z"', '"2026-06-30T23:59:60Z"', '"0000-01-01T00:00:00+23:59"'],
  ...['[]', '[[]]', '{}', '{"a":1}', '{"__proto__":1}', '{"constructor":{"prototype":1}}'],
  ...[`"${'x'.repeat(64)}"`, `"${'x'.repeat(129)}"`, `"${'\u{1f600}'.repeat(128)}"`],
]

/** What a text field holds now and then: any code points, as they are or escaped. */
function anyText(random: () => number): string {
  let text = ''
  for (let length = Math.floor(random() * 40); length > 0; length--) {
    const kind = random()
    const top = kind < 0.3 ? 0x20 : kind < 0.6 ? 0x100 : kind < 0.9 ? 0x10000 : 0x110000
    const point = Math.floor(random() * top)
    const lone = point >= 0xd800 && point <= 0xdfff
    const escaped = `\\u${(point & 0xffff).toString(16).padStart(4, '0')}`
    const plain = point >= 0x20 && point !== 0x22 && point !== 0x5c && !lone
    text += plain && random() < 0.7 ? String.fromCodePoint(point) : escaped
  }
  return `"${text}"`
}

function anyMap(random: () => number): string {
  const names = Math.floor(random() * (random() < 0.1 ? 300 : 12))
  const entries = Array.from({ length: names }, (_, index) => {
    const name = random() < 0.2 ? anyText(random) : `"k${index % 10}"`
    return `${name}:${random() < 0.5 ? pick(VALUES, random) : (random() * 100).toFixed(3)}`
  })
  return `{${entries.join(',')}}`
}

function deep(random: () => number): string {
  const levels = Math.floor(10 ** (1 + 3.7 * random()))
  return random() < 0.5
    ? `${'['.repeat(levels)}${']'.repeat(levels)}`
    : `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`
}

function anyValue(random: () => number): string {
  const kind = random()
  if (kind < 0.55) return pick(VALUES, random)
  if (kind < 0.7) return anyText(random)
  if (kind < 0.85) return anyMap(random)
  if (kind < 0.9) return deep(random)
  return String((random() - 0.5) * 10 ** Math.floor(random() * 40))
}

const FIELDS = [
  ...['request_id', 'occurred_at', 'model_name', 'model_version', 'variant', 'environment'],
  ...['traffic', 'outcome', 'status_code', 'error_type', 'latency_ms', 'ttft_ms', 'locale'],
  ...['quality_score', 'quality_metric', 'prediction_label', 'confidence', 'input_tokens', 'kpi'],
  ...['output_tokens', 'device', 'region', 'session_id', 'release_id', 'decision_generation'],
  ...['memory_bytes', 'memory_limit_bytes', 'sample_rate', 'is_synthetic', 'attributes'],
  ...['unknown', '__proto__', 'constructor', 'toString', ''],
]

type Fields = [name: string, value: string][]

/** A valid event, every field now and then; fields in any order. */
function validFields(id: string, nowMs: number, random: () => number): Fields {
  const occurredAt = new Date(nowMs - Math.floor(random() * 60_000)).toISOString()
  const optional: Fields = [
    ['environment', '"production"'],
    ['traffic', random() < 0.9 ? '"live"' : '"shadow"'],
    ['ttft_ms', (random() * 10).toFixed(2)],
    ['status_code', '200'],
    ['locale', pick(['"de-DE"', '"en-US"', '"zh-Hant-TW"', '"?"'], random)],
    ['device', pick(['"mobile"', '"Desktop"', '"fridge"'], random)],
    ['quality_score', random().toFixed(4)],
    ['confidence', random().toFixed(4)],
    ['prediction_label', '"gr\u00fc\u00dfe \u{1f600} \\"quoted\\""'],
    ['input_tokens', String(Math.floor(random() * 1000))],
    ['session_id', `"s${Math.floor(random() * 1000)}"`],
    ['memory_bytes', '9007199254740991'],
    ['sample_rate', '0.25'],
    ['is_synthetic', 'true'],
    ['kpi', '{"revenue":12.345678,"clicks":-3}'],
    ['attributes', '{"shard":"7","zone":"\u00e4"}'],
  ]
  const fields: Fields = [
    ['request_id', `"${id}"`],
    ['occurred_at', `"${occurredAt}"`],
    ['model_name', '"fuzzed"'],
    ['model_version', `"${random() < 0.5 ? STABLE_VERSION : CANARY_VERSION}"`],
    ['outcome', '"ok"'],
    ['latency_ms', (random() * 200).toFixed(3)],
    ...optional.filter(() => random() < 0.3),
  ]
  return random() < 0.2 ? fields.reverse() : fields
}

function write(fields: Fields, gap: string): string {
  return `{${gap}${fields.map(([name, value]) => `"${name}":${gap}${value}`).join(`,${gap}`)}${gap}}`
}

/** Changes one value, adds one, doubles one or drops one; the text stays JSON. */
function mutateFields(fields: Fields, random: () => number): void {
  const at = Math.floor(random() * fields.length)
  const kind = random()
  if (kind < 0.4) fields[at] = [fields[at]?.[0] ?? '', anyValue(random)]
  else if (kind < 0.75) fields.push([pick(FIELDS, random), anyValue(random)])
  else if (kind < 0.85) fields.push([fields[at]?.[0] ?? '', fields[at]?.[1] ?? '1'])
  else if (kind < 0.97) fields.splice(at, 1)
  else fields.push(['attributes', `{"large":"${'y'.repeat(Math.floor(random() * 3000))}"}`])
}

/** Flips, cuts, doubles or inserts bytes; the text mostly is no JSON any more. */
function mutateBytes(bytes: Buffer, random: () => number): Buffer {
  const at = Math.floor(random() * bytes.length)
  const kind = random()
  if (kind < 0.4) {
    const flipped = Buffer.from(bytes)
    for (let flips = 1 + Math.floor(random() * 4); flips > 0; flips--) {
      const index = Math.floor(random() * bytes.length)
      flipped[index] = (flipped[index] ?? 0) ^ (1 << Math.floor(random() * 8))
    }
    return flipped
  }
  if (kind < 0.6) return bytes.subarray(0, at)
  if (kind < 0.75) {
    const to = Math.min(bytes.length, at + Math.floor(random() * 30))
    return Buffer.concat([bytes.subarray(0, to), bytes.subarray(at)])
  }
  const inserted = Buffer.from(Array.from({ length: 1 + random() * 6 }, () => random() * 256))
  return Buffer.concat([bytes.subarray(0, at), inserted, bytes.subarray(at)])
}

export interface FuzzedInput {
  readonly bytes: Buffer
  /** True for an event that must be accepted. */
  readonly valid: boolean
}

/** One input in eight is a valid event; of the others some still are, by chance. */
export function createFuzzer(seed: number, nowMs: number) {
  const random = mulberry32(seed)
  let made = 0

  const fields = () => validFields(`v${seed}-${made++}`, nowMs, random)
  const mutated = () => {
    const some = fields()
    for (let times = 1 + Math.floor(random() * 2); times > 0; times--) mutateFields(some, random)
    return some
  }

  return {
    random,
    /** Any bytes but a line end, and not blank: one line of a body. */
    line(): FuzzedInput {
      const kind = random()
      if (kind < 0.125) return { bytes: Buffer.from(write(fields(), '')), valid: true }
      if (kind > 0.9995) {
        return {
          bytes: Buffer.from(write([...fields(), ['big', `"${'z'.repeat(1_048_576)}"`]], '')),
          valid: false,
        }
      }
      const text = Buffer.from(write(kind < 0.8 ? mutated() : fields(), random() < 0.1 ? ' ' : ''))
      const bytes = kind < 0.6 ? text : mutateBytes(text, random)
      const line = Buffer.from(bytes.map((byte) => (byte === 0x0a ? 0x20 : byte)))
      return {
        bytes: /[^\s\ufeff]/.test(line.toString('latin1')) ? line : Buffer.from('x'),
        valid: false,
      }
    },
    /** JSON over several lines: an element of a list. */
    element(): FuzzedInput {
      const valid = random() < 0.125
      return { bytes: Buffer.from(write(valid ? fields() : mutated(), '\r\n\t')), valid }
    },
    /** Any bytes at all. */
    body(): Buffer {
      return mutateBytes(Buffer.from(write(mutated(), '\n')), random)
    },
    damage: (bytes: Buffer) => mutateBytes(bytes, random),
  }
}

function pick<T>(list: readonly T[], random: () => number): T {
  return list[Math.floor(random() * list.length)] as T
}
