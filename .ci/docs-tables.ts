// The generated parts of the documentation: what stands between `<!-- table: NAME -->` and `<!-- end -->`.
import { openApiDocument } from '../src/adapters/http/openapi.ts'
import { PROBLEM_KINDS, type ProblemCode, problemType } from '../src/adapters/http/problem.ts'
import { COUNTERS, GAUGES, HISTOGRAMS } from '../src/adapters/ops/metrics.ts'
import { asyncApiDocument } from '../src/contract/asyncapi.ts'
import { publishedSchemas } from '../src/contract/json-schema.ts'
import { cell, fieldTable, markdownTable, unitsIn } from './field-tables.ts'

type Tables = ReadonlyMap<string, string>

const MARKED = /<!-- table: ([\w.-]+) -->\n[\s\S]*?<!-- end -->/g

/** The page with its tables as they have to be; throws for one that is none of these. */
export function withTables(page: string, tables: Tables): string {
  return page.replace(MARKED, (_, name: string) => {
    const table = tables.get(name)
    if (table === undefined) throw new Error(`there is no table ${name}`)
    return `<!-- table: ${name} -->\n${table}\n<!-- end -->`
  })
}

/** Every table that follows from the contract; those of the database need an engine. */
export function contractTables(): Tables {
  return new Map([
    ...[...publishedSchemas()].map(([file, schema]): [string, string] => [
      file.replace('.v1.schema.json', ''),
      fieldTable(schema),
    ]),
    ['guardrail-limits', limitTable()],
    ['http-operations', operationTable()],
    ['http-problems', problemTable()],
    ['topics', topicTable()],
    ['worker-metrics', metricTable()],
    ['decision-headers', headerTable('Decision')],
    ['dead-letter-headers', headerTable('DeadLetter')],
  ])
}

interface Column {
  readonly table: string
  readonly name: string
  readonly type: string
  readonly comment: string
}

/** One table a table or view of the database, `columns.NAME`, and `tables` with what each is. */
export function databaseTables(
  tables: readonly { readonly name: string; readonly comment: string }[],
  columns: readonly Column[],
): Tables {
  const list = tables.map(({ name, comment }) => [`[\`${name}\`](#${name})`, cell(comment)])
  return new Map([
    ['tables', markdownTable(['Name', 'What a row is'], list)],
    ...tables.map(({ name }): [string, string] => {
      const rows = columns
        .filter((column) => column.table === name)
        .map((column) => [`\`${column.name}\``, `\`${column.type}\``, cell(column.comment)])
      return [`columns.${name}`, markdownTable(['Column', 'Type', 'Meaning'], rows)]
    }),
  ])
}

interface Limits {
  readonly if: { readonly properties: { readonly metric: Readonly<Record<string, unknown>> } }
  readonly then: { readonly properties: Readonly<Record<string, unknown>> }
}

function limitTable(): string {
  const file = publishedSchemas().get('release-file.v1.schema.json') as {
    properties: { guardrails: { items: { allOf: readonly Limits[] } } }
  }
  const rows = file.properties.guardrails.items.allOf.flatMap(({ if: when, then }) => {
    const { metric } = when.properties
    const words = (metric['enum'] ?? [metric['const'] ?? 'kpi.<name>']) as readonly string[]
    return Object.entries(then.properties).flatMap(([name, limit]) => {
      if (limit === false || limit === true) return []
      const { pattern, description } = limit as { pattern?: string; description: string }
      const unit = unitsIn(pattern) ?? 'none'
      const metrics = words.map((word) => `\`${word}\``).join(', ')
      return [[metrics, `\`${name}\``, unit, cell(description)]]
    })
  })
  return markdownTable(['Metric', 'Limit', 'Unit', 'Written'], rows)
}

interface Operation {
  readonly summary: string
  readonly responses: object
  readonly security?: unknown
}

function operationTable(): string {
  const { paths } = openApiDocument() as {
    paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  }
  const rows = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => [
      `\`${method.toUpperCase()} ${path}\``,
      cell(operation.summary),
      Object.keys(operation.responses).join(' '),
      operation.security === undefined ? 'yes' : 'no',
    ]),
  )
  return markdownTable(['Request', 'Does', 'Answers', 'Token'], rows)
}

function problemTable(): string {
  const codes = Object.keys(PROBLEM_KINDS) as ProblemCode[]
  const rows = codes.map((code) => {
    const { status, title } = PROBLEM_KINDS[code]
    return [String(status), `\`${problemType(code)}\``, cell(title)]
  })
  return markdownTable(['Status', 'Type', 'Title'], rows)
}

function metricTable(): string {
  const labelled = Object.entries({ ...COUNTERS, ...GAUGES }).map(([name, { help, labels }]) => {
    const list = labels.map((label) => `\`${label}\``).join(', ')
    return [`\`${name}\``, list === '' ? '–' : list, cell(help)]
  })
  const histograms = Object.entries(HISTOGRAMS).map(([name, { help }]) => [
    `\`${name}\``,
    'histogram',
    cell(help),
  ])
  return markdownTable(['Name', 'Labels', 'Meaning'], [...labelled, ...histograms])
}

interface Channel {
  readonly address: string
  readonly title: string
  readonly messages: object
  readonly bindings: {
    readonly kafka: {
      readonly partitions: number
      readonly topicConfiguration: {
        readonly 'cleanup.policy': readonly string[]
        readonly 'retention.ms'?: number
      }
    }
  }
}
interface Message {
  readonly bindings: { readonly kafka: { readonly key: { readonly description: string } } }
  readonly headers?: { readonly properties: Readonly<Record<string, object>> }
}

function topicTable(): string {
  const { channels, components } = asyncApiDocument() as {
    channels: Readonly<Record<string, Channel>>
    components: { messages: Readonly<Record<string, Message>> }
  }
  const rows = Object.values(channels).map(({ address, title, messages, bindings }) => {
    const [name = ''] = Object.keys(messages)
    const { partitions, topicConfiguration } = bindings.kafka
    const key = components.messages[name]?.bindings.kafka.key.description ?? ''
    const { 'cleanup.policy': policies, 'retention.ms': retentionMs } = topicConfiguration
    const kept =
      retentionMs === undefined
        ? `newest per key (${policies.join(', ')})`
        : `${retentionMs / 86_400_000} days`
    return [`\`${address}\``, title, cell(key), String(partitions), kept]
  })
  return markdownTable(['Topic', 'Holds', 'Key', 'Partitions', 'Kept'], rows)
}

function headerTable(message: string): string {
  const { components } = asyncApiDocument() as {
    components: { messages: Readonly<Record<string, Message>> }
  }
  const headers = components.messages[message]?.headers?.properties ?? {}
  const rows = Object.entries(headers).map(([name, schema]) => {
    const { description, const: constant } = schema as { description?: string; const?: string }
    return [`\`${name}\``, cell(description ?? `\`${constant}\``)]
  })
  return markdownTable(['Header', 'Value'], rows)
}
