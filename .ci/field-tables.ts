// Field tables of the documentation, from the published schemas.

type Schema = Readonly<Record<string, unknown>>

interface Field {
  readonly path: string
  readonly type: string
  readonly unit: string
  readonly required: string
  readonly meaning: string
}

/** By the last word of a field's name; else by its ending. */
const UNITS: Readonly<Record<string, string>> = {
  weight: 'parts of `total_weight`',
  total_weight: 'parts',
  min_requests_per_key_cohort: 'count',
  applied_generation: 'count',
  confidence: '0…1',
  decision_generation: 'count',
  difference: 'of the limit',
  ci_low: 'of the limit',
  ci_high: 'of the limit',
  contribution: 'of the limit',
  threshold: 'ms, 0…1 or the KPI’s',
  value: 'ms, 0…1 or the KPI’s',
  log_e_breach: 'natural log',
  log_e_pass: 'natural log',
  error_rate: '0…1',
  generation: 'count',
  importance: 'relative',
  latency_ms: 'ms',
  le: 'ms',
  ...Object.fromEntries(['p50', 'p90', 'p95', 'p99'].map((name) => [name, 'ms'])),
  n: 'count',
  count: 'count',
  index: 'count',
  requests: 'count',
  errors: 'count',
  events: 'count',
  duplicates: 'count',
  late: 'count',
  min_requests: 'count',
  quality_score: '0…1',
  sample_rate: '0…1',
  seconds: 's',
  status_code: 'HTTP status',
}
/** Where the last word is not enough. */
const BY_PATH: Readonly<Record<string, string>> = { 'evidence[].weight': '0…1' }
const ENDINGS: readonly (readonly [string, string])[] = [
  ['_ms', 'ms'],
  ['_s', 's'],
  ['_bytes', 'bytes'],
  ['_tokens', 'tokens'],
]

/** A Markdown table of every field of a contract, nested ones dotted. */
export function fieldTable(schema: Schema): string {
  const rows = fieldsOf(schema, '').map(({ path, type, unit, required, meaning }) =>
    [`\`${path}\``, type, unit, required, meaning].map(cell),
  )
  return markdownTable(['Field', 'Type', 'Unit', 'Required', 'Meaning'], rows)
}

export function markdownTable(
  titles: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(titles), line(titles.map(() => '---')), ...rows.map(line)].join('\n')
}

export function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;').replaceAll('\n', ' ')
}

function fieldsOf(schema: Schema, prefix: string): Field[] {
  const properties = (schema['properties'] ?? {}) as Readonly<Record<string, Schema>>
  return Object.entries(properties).flatMap(([name, property]) => {
    const path = `${prefix}${name}`
    const required = requiredOf(schema, name)
    // Where a field may be left out, null is the same; the pages say so once.
    const type = required === 'yes' ? typeOf(property) : typeOf(property).replace(/ or null$/, '')
    const unit = BY_PATH[path] ?? unitOf(name, property)
    const field = { path, type, unit, required, meaning: meaningOf(property) }
    return [field, ...innerOf(property, path)]
  })
}

function innerOf(property: Schema, path: string): Field[] {
  const variants = (property['anyOf'] ?? []) as readonly Schema[]
  const lists = variants.filter((variant) => 'items' in variant)
  if (lists.length > 0) return lists.flatMap((variant) => innerOf(variant, path))
  const { items, additionalProperties } = property
  if (isSchema(items)) return innerOfPart(items, `${path}[]`)
  if (isSchema(additionalProperties) && 'properties' in additionalProperties) {
    return fieldsOf(additionalProperties, `${path}.<name>.`)
  }
  return innerOfPart(property, path)
}

function innerOfPart(part: Schema, path: string): Field[] {
  const variants = (part['anyOf'] ?? [part]) as readonly Schema[]
  return variants.flatMap((variant) => fieldsOf(variant, `${path}.`))
}

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function meaningOf(property: Schema): string {
  const { description, default: fallback } = property
  const written = typeof fallback === 'string' ? fallback : JSON.stringify(fallback)
  const also = fallback === undefined ? '' : ` Default \`${written}\`.`
  return `${typeof description === 'string' ? description : ''}${also}`.trim()
}

function typeOf(schema: Schema): string {
  const { type, anyOf, items, pattern, format, additionalProperties } = schema
  const words = (schema['enum'] ?? ('const' in schema ? [schema['const']] : null)) as
    | readonly unknown[]
    | null
  if (words !== null) return words.map((word) => `\`${String(word)}\``).join(', ')
  if (Array.isArray(anyOf)) {
    const types = [...new Set((anyOf as Schema[]).map(typeOf))]
    return types.includes('number') || types.includes('integer')
      ? types.filter((one) => one !== 'text').join(' or ')
      : types.join(' or ')
  }
  if (Array.isArray(type)) {
    return type.map((one: string) => typeOf({ ...schema, type: one })).join(' or ')
  }
  if (type === 'array') return `list of ${isSchema(items) ? typeOf(items) : 'values'}`
  if (type === 'object') {
    if (isSchema(additionalProperties)) return `map of names to ${typeOf(additionalProperties)}`
    return 'object'
  }
  if (typeof pattern === 'string' && pattern.startsWith('^kpi')) return '`kpi.<name>`'
  if (type !== 'string') return typeof type === 'string' ? type : 'see below'
  if (format === 'date-time') return 'time'
  return unitsIn(pattern) === null ? 'text' : 'quantity'
}

function unitOf(name: string, schema: Schema): string {
  const units = unitsIn(schema['pattern'])
  if (units !== null) return units
  const types = `${String(schema['type'])} ${JSON.stringify(schema['anyOf'] ?? '')}`
  if (/date-time/.test(`${String(schema['format'])} ${types}`)) return 'RFC 3339'
  const named = UNITS[name]
  if (named !== undefined && /number|integer|object/.test(types)) return named
  return ENDINGS.find(([ending]) => name.endsWith(ending))?.[1] ?? '–'
}

/** `ms, s` of a pattern that ends with the units of a quantity. */
export function unitsIn(pattern: unknown): string | null {
  const found = typeof pattern === 'string' ? /\\s\*\(\?:([^()]+)\)\$$/.exec(pattern)?.[1] : null
  return found == null ? null : found.split('|').join(', ')
}

function requiredOf(schema: Schema, name: string): string {
  const clauses = [schema, ...((schema['allOf'] ?? []) as readonly Schema[])]
  const requires = (part: unknown) =>
    isSchema(part) && ((part['required'] ?? []) as readonly string[]).includes(name)
  if (requires(schema)) return 'yes'
  for (const clause of clauses) {
    const alternatives = (clause['anyOf'] ?? clause['oneOf'] ?? []) as readonly Schema[]
    const others = alternatives.filter((one) => !requires(one))
    if (others.length < alternatives.length && alternatives.every((one) => 'required' in one)) {
      const names = others.map((one) => `\`${(one['required'] as string[]).join('`, `')}\``)
      return `this or ${names.join(' or ')}`
    }
    if (requires(clause['else'])) return 'unless the file extends another'
    if (requires(clause['then'])) return 'see meaning'
  }
  return 'no'
}
