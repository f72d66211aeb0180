/** Lines of an events file that are no valid event, each with the first reason given for it. */
export function invalidLines(occurredAt: string): readonly (readonly [string, Uint8Array])[] {
  const valid = {
    request_id: 'dirty',
    occurred_at: occurredAt,
    model_name: 'intent-classifier',
    model_version: '1.5.0',
    outcome: 'error',
    latency_ms: 9000,
  }
  const with_ = (change: Record<string, unknown>) => JSON.stringify({ ...valid, ...change })
  const raw = (name: string, value: string) =>
    `${with_({ [name]: undefined }).slice(0, -1)},"${name}":${value}}`
  const nested = `${'['.repeat(50_000)}${']'.repeat(50_000)}`
  const texts: readonly (readonly [string, string])[] = [
    ['not JSON', 'GET /v1/events HTTP/1.1'],
    ['not JSON', with_({}).slice(0, 60)],
    ['not JSON', `${with_({})}${with_({})}`],
    ['not JSON', with_({}).replace('9000', 'NaN')],
    ['a JSON list', `[${with_({})}]`],
    ['a JSON list', nested],
    ['a JSON string', '"event"'],
    ['null', 'null'],
    ['request_id: is missing', '{}'],
    ['request_id: is missing', with_({ request_id: null })],
    ['request_id: has 129 characters', with_({ request_id: 'r'.repeat(129) })],
    ['request_id: is the text', raw('request_id', '"a\\u0000b"')],
    ['request_id: is the text', with_({ request_id: 'a\u0000b' })],
    ['request_id: is the text', with_({ request_id: 'a\ud800b' })],
    ['not JSON', with_({}).replace('dirty', 'a\u0000b')],
    ['model_name: is the text', with_({ model_name: 'intent classifier' })],
    ['model_version: is a list', with_({ model_version: ['1.5.0'] })],
    ['model_version: is the text', with_({ model_version: '1.5' })],
    ['model_version: is missing', with_({ model_version: undefined })],
    ['outcome: is the text', with_({ outcome: 'okay' })],
    ['latency_ms: is the text', with_({ latency_ms: '41' })],
    ['latency_ms: is -1', with_({ latency_ms: -1 })],
    ['latency_ms: is Infinity', raw('latency_ms', '1e400')],
    ['latency_ms: is 1e+300', with_({ latency_ms: 1e300 })],
    ['latency_ms: is missing', with_({ outcome: 'ok', latency_ms: undefined })],
    ['latency_ms: is a list', raw('latency_ms', nested)],
    ['quality_score: is 1.01', with_({ quality_score: 1.01 })],
    ['status_code: is 99', with_({ status_code: 99 })],
    ['input_tokens: is 4294967296', with_({ input_tokens: 2 ** 32 })],
    ['is_synthetic: is the text', with_({ is_synthetic: 'no' })],
    ['sample_rate: is 0', with_({ sample_rate: 0 })],
    [
      'kpi: has 9 names',
      with_({ kpi: Object.fromEntries(Array.from('abcdefghi', (k) => [k, 1])) }),
    ],
    ['kpi.revenue: is the text', with_({ kpi: { revenue: '12' } })],
    ['attributes.k: is 1', with_({ attributes: { k: 1 } })],
    ['occurred_at: is missing', with_({ occurred_at: undefined })],
    ['occurred_at: is 1795428000', with_({ occurred_at: 1_795_428_000 })],
    ['occurred_at: is the text', with_({ occurred_at: '2026-11-31T10:00:00Z' })],
    ['occurred_at: is the text', with_({ occurred_at: '2026-11-23 10:00:00' })],
    ['occurred_at: is the text', with_({ occurred_at: '2106-01-01T00:00:00Z' })],
    ['occurred_at: 1970-01-01', with_({ occurred_at: '1970-01-01T00:00:00Z' })],
    ['occurred_at: 2100-01-01', with_({ occurred_at: '2100-01-01T00:00:00Z' })],
    ['recorded_at: is the text', with_({ recorded_at: 'now' })],
    ['the line has', with_({ attributes: { k: 'x'.repeat(5 * 1024 * 1024) } })],
  ]
  const utf8 = new TextEncoder()
  return [
    ...texts.map(([reason, text]) => [reason, utf8.encode(text)] as const),
    ['request_id: the text', Buffer.from(with_({ request_id: 'caf\u00e9' }), 'latin1')],
    ['not JSON', Buffer.from([0, 1, 2, 0xff, 0xfe, 0x80])],
  ]
}

/** Odd lines that are valid events, of a route that nobody judges. */
export function oddLines(occurredAt: string): readonly string[] {
  const event = {
    occurred_at: occurredAt,
    model_name: 'translator',
    model_version: '1.5.0',
    outcome: 'ok',
    latency_ms: 1,
  }
  const line = (id: string, rest: string) =>
    `${JSON.stringify({ request_id: id, ...event }).slice(0, -1)},${rest}}`
  return [
    line('reserved', '"__proto__":{"outcome":"error"},"constructor":1,"toString":null,"":2'),
    line('doubled', '"latency_ms":"slow","latency_ms":2,"request_id":"last"'),
    line('unknown', '"huge":1e400,"text":"\\ud800 \\u0000","map":{"__proto__":{"a":1}}'),
    line('nested', `"deep":${'[{"a":'.repeat(20_000)}1${'}]'.repeat(20_000)}`),
    line('minus zero', '"latency_ms":-0,"quality_score":-0.0'),
    line('surrogates', '"session_id":"\\ud83d\\ude00 \u{1f600}","prediction_label":"\ufffd"'),
    line('map', '"kpi":{"__proto__":7,"a.b":1},"attributes":{"__proto__":"x","constructor":"y"}'),
    ` \t${line('blanks', '"locale":"zz-not-a-locale-at-all-1234567890","device":"\\u0000"')}  `,
  ]
}
