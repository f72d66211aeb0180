import { VARIABLE_NAMES, variableOf } from '../../src/config/variables.ts'
import { TOPICS } from '../../src/domain/topics.ts'
import { KAFKA_PERMISSIONS } from './kafka-permissions.ts'

/** Rows of the tables in docs/operate.md that follow from the code. */
export function variableRows(): string[] {
  return VARIABLE_NAMES.map((name) => {
    const { kind, meaning, default: fallback, defaultBesideKafka, secret } = variableOf(name)
    const title = secret ? `\`${name}\`, \`…_FILE\`` : `\`${name}\``
    const beside =
      defaultBesideKafka === undefined ? '' : `, beside Kafka \`${defaultBesideKafka}\``
    const value = fallback === null ? '–' : `\`${fallback}\`${beside}`
    return `| ${title} | ${value} | ${kind.allowed} | ${meaning} |`
  })
}

export function permissionRows(): string[] {
  return KAFKA_PERMISSIONS.map(({ resource, name, prefixed, operations }) => {
    const kind = resource.toLowerCase().replace('_', ' ')
    const title = prefixed ? `\`${name}\` (prefix)` : `\`${name}\``
    const words = operations.map((word) => word.charAt(0) + word.slice(1).toLowerCase())
    return `| ${kind} | ${title} | ${words.join(', ')} |`
  })
}

/** How each row of the table of topics begins, with the days it is kept. */
export function topicRows(): { readonly begins: string; readonly kept: string }[] {
  return Object.values(TOPICS).map(({ name, partitions, compacted, settings }) => {
    const retentionMs = 'retention.ms' in settings ? Number(settings['retention.ms']) : null
    const kept = compacted ? 'for ever, compacted' : `${(retentionMs ?? 0) / 86_400_000} days`
    return { begins: `| \`${name}\` | ${partitions}`, kept: `| ${kept} |` }
  })
}
