import { readFileSync } from 'node:fs'
import specs from '@asyncapi/specs'
import { Ajv } from 'ajv'
import { describe, expect, it } from 'vitest'
import { asyncApiDocument } from '../../../src/contract/asyncapi.ts'
import { decisionRecord } from '../../../src/contract/outgoing-events.ts'
import { HaldaneError } from '../../../src/domain/errors.ts'
import { TOPICS } from '../../../src/domain/topics.ts'
import { publishDeadLetters } from '../../../src/pipeline/dead-letters.ts'
import type { Bus, OutgoingRecord } from '../../../src/ports.ts'
import { at, brokenRefs, createDocumentJudge, pointerOf } from '../../support/json-refs.ts'
import { DECISION } from './decision-samples.ts'

interface Message {
  readonly payload: { readonly $ref?: string }
  readonly headers?: { readonly properties: object; readonly required: readonly string[] }
  readonly examples?: readonly { readonly payload: unknown }[]
  readonly bindings: { readonly kafka: { readonly key: object } }
}
interface Channel {
  readonly address: string
  readonly messages: Readonly<Record<string, { readonly $ref: string }>>
  readonly bindings: { readonly kafka: Readonly<Record<string, unknown>> }
}

const document = asyncApiDocument() as {
  readonly asyncapi: string
  readonly channels: Readonly<Record<string, Channel>>
  readonly components: {
    readonly messages: Readonly<Record<string, Message>>
    readonly schemas: Readonly<Record<string, object>>
  }
}

describe('the AsyncAPI document', () => {
  it('is the one in schemas/', () => {
    const text = readFileSync(new URL('../../../schemas/asyncapi.json', import.meta.url), 'utf8')
    expect(JSON.parse(text), 'run `npm run schemas`').toEqual(document)
  })

  it('is valid under the official schema of its version, and every reference leads somewhere', () => {
    const versions: Readonly<Record<string, object>> = specs.schemas
    expect(document.asyncapi).toBe(Object.keys(versions).sort().at(-1))
    // The official schema brings draft-07 itself along.
    const own = { meta: false, validateSchema: false } as const
    const ajv = new Ajv({ ...own, strict: false, allErrors: true, validateFormats: false })
    const validate = ajv.compile(versions[document.asyncapi] as object)
    expect(validate(document), ajv.errorsText(validate.errors)).toBe(true)
    const broken = structuredClone(document) as { channels: Record<string, { address: unknown }> }
    for (const channel of Object.values(broken.channels)) channel.address = 7
    expect(validate(broken)).toBe(false)
    expect(brokenRefs(document)).toEqual([])
  })

  it('has no keyword beside a reference, which draft-07 would pass over', () => {
    const lost: string[] = []
    const walk = (value: unknown, path: string): void => {
      if (typeof value !== 'object' || value === null) return
      if ('$ref' in value && Object.keys(value).length > 1) lost.push(path)
      for (const [key, part] of Object.entries(value)) walk(part, `${path}/${key}`)
    }
    walk(document.components.schemas, '')
    expect(lost).toEqual([])
  })

  it('holds examples that are valid under their payloads', () => {
    const judge = createDocumentJudge(document, 'draft-07')
    let seen = 0
    for (const [name, { examples = [] }] of Object.entries(document.components.messages)) {
      for (const { payload } of examples) {
        seen++
        const pointer = pointerOf('components', 'messages', name, 'payload')
        expect(judge.faults(pointer, payload), name).toBe(null)
        expect(judge.faults(pointer, { ...(payload as object), route: 1, request_id: 1 })).not.toBe(
          null,
        )
      }
    }
    expect(seen).toBe(Object.keys(document.components.messages).length - 1)
  })

  it('has every topic with its partitions and settings, and one kind of message in each', () => {
    const channels = Object.values(document.channels)
    expect(channels.map(({ address }) => address)).toEqual(
      Object.values(TOPICS).map(({ name }) => name),
    )
    for (const topic of Object.values(TOPICS)) {
      const channel = channels.find(({ address }) => address === topic.name)
      expect(channel?.bindings.kafka).toEqual({
        topic: topic.name,
        partitions: topic.partitions,
        topicConfiguration: {
          'cleanup.policy': [topic.compacted ? 'compact' : 'delete'],
          ...Object.fromEntries(
            Object.entries(topic.settings).map(([name, value]) => [name, Number(value)]),
          ),
        },
        bindingVersion: '0.5.0',
      })
      expect(Object.values(channel?.messages ?? {})).toHaveLength(1)
    }
    for (const { messages } of channels) {
      for (const { $ref } of Object.values(messages)) {
        expect((at(document, $ref) as Message).bindings.kafka.key).toMatchObject({ type: 'string' })
      }
    }
  })

  it('names the headers a decision really has', () => {
    const pointer = pointerOf('components', 'messages', 'Decision', 'headers')
    const judge = createDocumentJudge(document, 'draft-07')
    const documented = document.components.messages['Decision']?.headers?.properties ?? {}
    const { headers } = decisionRecord(DECISION)
    expect(judge.faults(pointer, headers)).toBe(null)
    expect(Object.keys(headers ?? {}).sort()).toEqual(Object.keys(documented).sort())
    const last = decisionRecord({ ...DECISION, expiresAtMs: null })
    expect(judge.faults(pointer, last.headers)).toBe(null)
    expect(judge.faults(pointer, { ...headers, ce_type: 'x' })).not.toBe(null)
  })

  it('names the headers a dead letter really has', async () => {
    let sent: readonly OutgoingRecord[] = []
    let isTooLarge = false
    const bus = {
      produce: async (_topic: string, records: readonly OutgoingRecord[]) => {
        if (isTooLarge && records[0]?.value?.byteLength !== 0) {
          throw new HaldaneError('too_large', 'larger than the topic allows')
        }
        sent = records
      },
    } as unknown as Bus
    const record = {
      ...{ topic: TOPICS.requests.name, partition: 0, offset: 7, timestampMs: 0, headers: {} },
      ...{ key: null, value: new Uint8Array([1]) },
    }
    const rejections = [{ field: 'outcome', code: 'missing' as const, message: 'is missing' }]
    await publishDeadLetters(bus, TOPICS.requests.name, [{ record, rejections }])
    const documented = document.components.messages['DeadLetter']?.headers
    expect(documented?.required).toEqual(Object.keys(sent[0]?.headers ?? {}))
    isTooLarge = true
    await publishDeadLetters(bus, TOPICS.requests.name, [{ record, rejections }])
    expect(Object.keys(documented?.properties ?? {})).toEqual(Object.keys(sent[0]?.headers ?? {}))
  })
})
