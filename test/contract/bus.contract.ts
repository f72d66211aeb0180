import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { HaldaneError } from '../../src/domain/errors.ts'
import type { TopicSpec } from '../../src/domain/topics.ts'
import type { Bus, BusRecord, OutgoingRecord } from '../../src/ports.ts'
import {
  bytesOf,
  type ConsumerProbe,
  createGate,
  eventually,
  probeConsumer,
  textOf,
} from '../support/bus-probe.ts'

/** How long a handler may keep its partitions from the others; the factory sets it on its bus. */
export const REBALANCE_TIMEOUT_MS = 1500
/** A member without heartbeats leaves the group after this time. */
export const SESSION_TIMEOUT_MS = 1000

const value = (text: string): OutgoingRecord => ({ key: null, value: bytesOf(text) })
const numbered = (count: number, partition = 0): OutgoingRecord[] =>
  Array.from({ length: count }, (_, index) => ({ ...value(`r${index}`), partition }))
const names = (count: number, from = 0) =>
  Array.from({ length: count }, (_, index) => `r${index + from}`)
const codeOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'resolved',
    (error: unknown) => (error instanceof HaldaneError ? error.code : String(error)),
  )

/**
 * What every bus guarantees, whatever is behind it. The factory gives buses on one log, as two
 * processes would have them; `REBALANCE_TIMEOUT_MS` and `SESSION_TIMEOUT_MS` hold on them.
 */
export function describeBus(name: string, createBus: () => Promise<Bus>): void {
  describe(name, () => {
    let bus: Bus
    let count = 0
    const run = Date.now().toString(36)
    const probes: ConsumerProbe[] = []

    beforeAll(async () => {
      bus = await createBus()
    })
    afterEach(async () => {
      await Promise.all(probes.splice(0).map((probe) => probe.consumer.stop()))
    })
    afterAll(() => bus.close())

    const createTopic = async (spec: Partial<TopicSpec> = {}): Promise<string> => {
      const topic = `contract-${run}-${count++}`
      await bus.ensureTopics([{ name: topic, partitions: 1, compacted: false, ...spec }])
      return topic
    }
    const consume = async (
      ...args: Parameters<typeof probeConsumer> extends [Bus, ...infer R] ? R : never
    ) => {
      const probe = await probeConsumer(bus, ...args)
      probes.push(probe)
      return probe
    }

    /** What a transaction wrote is there for good when the call ends, and visible soon after. */
    const readCommitted = async (topic: string, count: number, partition = 0) => {
      const end = Date.now() + 10_000
      for (;;) {
        const records = await bus.readToEnd(topic, partition)
        if (records.length >= count || Date.now() > end) return records
      }
    }

    describe('topics', () => {
      it('creates a topic once and leaves an existing one as it is', async () => {
        const topic = await createTopic({ partitions: 3 })
        await bus.produce(topic, numbered(1))
        await bus.ensureTopics([{ name: topic, partitions: 5, compacted: true }])
        expect(await bus.partitionCount(topic)).toBe(3)
        expect(await bus.readToEnd(topic, 0)).toHaveLength(1)
      })

      it('has all partitions of a new topic ready, so that a write is there once', async () => {
        for (let turn = 0; turn < 3; turn++) {
          const partitions = 24
          const topic = await createTopic({ partitions })
          const everywhere = Array.from({ length: partitions }, (_, at) => numbered(1, at)).flat()
          await bus.produce(topic, everywhere)
          const kept = await bus.offsetsKept(topic, [...Array(partitions).keys()])
          expect([...kept.values()].map(({ end }) => end)).toEqual(Array(partitions).fill(1))
        }
      })

      it('names the topic that does not exist, in every call that takes one', async () => {
        const options = { groupId: 'g', onAssigned() {}, async onBatch() {}, onCrash() {} }
        const producer = await bus.fencedProducer(`unknown-topic-${run}`)
        const calls = [
          bus.partitionCount('nowhere'),
          bus.produce('nowhere', [value('x')]),
          bus.consume({ topic: 'nowhere', ...options }),
          bus.follow('nowhere', () => {}),
          bus.readToEnd('nowhere', 0),
          bus.offsetsKept('nowhere', [0]),
          producer.produce('nowhere', [value('x')]),
        ]
        for (const result of await Promise.allSettled(calls)) {
          expect(result.status).toBe('rejected')
          const { reason } = result as PromiseRejectedResult
          expect(reason).toBeInstanceOf(HaldaneError)
          expect(reason.code).toBe('not_found')
          expect(reason.message).toMatch(/^topic nowhere does not exist/)
          expect(reason.remedy).toMatch(/check the name/)
        }
        await producer.close()
      })

      it('names the partition that does not exist', async () => {
        const topic = await createTopic({ partitions: 2 })
        const refused = bus.produce(topic, [value('good'), { ...value('bad'), partition: 2 }])
        await expect(refused).rejects.toThrow(`topic ${topic} has no partition 2: it has 2`)
        expect(await codeOf(bus.readToEnd(topic, 2))).toBe('not_found')
        expect(await codeOf(bus.offsetsKept(topic, [0, 2]))).toBe('not_found')
        expect([...(await bus.readToEnd(topic, 0)), ...(await bus.readToEnd(topic, 1))]).toEqual([])
      })

      it('tells which offsets a partition keeps, and when it keeps none', async () => {
        const topic = await createTopic({ partitions: 2 })
        await bus.produce(topic, numbered(3, 1))
        expect(await bus.offsetsKept(topic, [0, 1])).toEqual(
          new Map([
            [0, { first: 0, end: 0 }],
            [1, { first: 0, end: 3 }],
          ]),
        )
      })

      it('answers a ping', async () => {
        await expect(bus.ping()).resolves.toBeUndefined()
      })
    })

    describe('records', () => {
      it('keeps the order of a partition, with ascending offsets and the timestamps given', async () => {
        const topic = await createTopic()
        // Not long ago: a broker may remove what is older than its retention.
        const start = Date.now() - 60_000
        const records = numbered(500).map((record, index) => ({
          ...record,
          timestampMs: start + (index % 7) * 1000,
        }))
        await bus.produce(topic, records)
        const probe = await consume(topic, 'order')
        await probe.received(500)
        expect(probe.values()).toEqual(names(500))
        const first = probe.records()[0]!.offset
        expect(probe.records().map((record) => record.offset - first)).toEqual(
          Array.from({ length: 500 }, (_, index) => index),
        )
        expect(probe.records().map((record) => record.timestampMs)).toEqual(
          records.map((record) => record.timestampMs),
        )
        expect(new Set(probe.records().map((record) => record.partition))).toEqual(new Set([0]))
      })

      it('gives a record without a timestamp the present time', async () => {
        const topic = await createTopic()
        const before = Date.now()
        await bus.produce(topic, [value('now')])
        const [record] = await bus.readToEnd(topic, 0)
        expect(record!.timestampMs).toBeGreaterThanOrEqual(before)
        expect(record!.timestampMs).toBeLessThanOrEqual(Date.now())
      })

      it("picks the partition of a key as Kafka's default partitioner does", async () => {
        // The signed hashes that Kafka's own tests state, e.g. murmur2("foobar") = -790332482.
        const hashes = {
          '21': -973932308,
          foobar: -790332482,
          'a-little-bit-long-string': -985981536,
          'a-little-bit-longer-string': -1486304829,
          lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8: -58897971,
          abc: 479470107,
        }
        const topic = await createTopic({ partitions: 5 })
        for (const [key, hash] of Object.entries(hashes)) {
          const partition = (hash & 0x7fffffff) % 5
          expect(bus.partitionFor(key, 5)).toBe(partition)
          await bus.produce(topic, [{ key, value: bytesOf(key) }])
          const records = await bus.readToEnd(topic, partition)
          expect(records.map((record) => textOf(record.value))).toContain(key)
        }
      })

      it('keeps binary keys, values and headers, and tombstones', async () => {
        const topic = await createTopic()
        const bytes = Uint8Array.from({ length: 256 }, (_, index) => index)
        await bus.produce(topic, [
          { key: bytes, value: bytes, headers: { binary: bytes, text: 'grün', empty: '' } },
          { key: 'gone', value: null },
          { key: null, value: new Uint8Array(0) },
        ])
        const [binary, tombstone, empty] = (await bus.readToEnd(topic, 0)) as [
          BusRecord,
          BusRecord,
          BusRecord,
        ]
        expect(Uint8Array.from(binary.key!)).toEqual(bytes)
        expect(Uint8Array.from(binary.value!)).toEqual(bytes)
        expect(Object.keys(binary.headers).sort()).toEqual(['binary', 'empty', 'text'])
        expect(Uint8Array.from(binary.headers['binary']!)).toEqual(bytes)
        expect(textOf(binary.headers['text']!)).toBe('grün')
        expect(binary.headers['empty']).toHaveLength(0)
        expect(textOf(tombstone.key)).toBe('gone')
        expect(tombstone.value).toBeNull()
        expect(tombstone.headers).toEqual({})
        expect(empty.key).toBeNull()
        expect(empty.value).toHaveLength(0)
      })

      it('does not look at a buffer again after the write', async () => {
        const topic = await createTopic()
        const buffer = bytesOf('first')
        await bus.produce(topic, [{ key: buffer, value: buffer, headers: { h: buffer } }])
        buffer.set(bytesOf('other'))
        const [record] = await bus.readToEnd(topic, 0)
        expect([textOf(record!.key), textOf(record!.value), textOf(record!.headers['h']!)]).toEqual(
          ['first', 'first', 'first'],
        )
      })

      it('takes more in one call than fits into one request', async () => {
        const topic = await createTopic({ partitions: 2 })
        const padding = 'x'.repeat(2000)
        const records = Array.from({ length: 3000 }, (_, index) => ({
          key: null,
          value: bytesOf(`${index}:${padding}`),
          partition: index % 2,
        }))
        await bus.produce(topic, records)
        for (const partition of [0, 1]) {
          const read = await bus.readToEnd(topic, partition)
          expect(read.map((record) => Number.parseInt(textOf(record.value)!, 10))).toEqual(
            Array.from({ length: 1500 }, (_, index) => index * 2 + partition),
          )
        }
      })

      it('writes nothing for an empty list', async () => {
        const topic = await createTopic()
        await bus.produce(topic, [])
        expect(await bus.readToEnd(topic, 0)).toEqual([])
      })
    })

    describe('consumers', () => {
      it('say what they own before the first batch, and how far the partition reaches', async () => {
        const topic = await createTopic({ partitions: 2 })
        await bus.produce(topic, [...numbered(3, 0), ...numbered(5, 1)])
        let assignedFirst = false
        const probe = await consume(topic, 'assigned', async (batch, self) => {
          assignedFirst ||= self.assignments[0]?.number === batch.assignment
        })
        await probe.received(8)
        expect(assignedFirst).toBe(true)
        expect(probe.assignments[0]?.partitions).toEqual([0, 1])
        for (const batch of probe.batches) {
          expect(batch.topic).toBe(topic)
          expect(batch.highWatermark).toBe(batch.partition === 0 ? 3 : 5)
        }
      })

      it('go on at the committed offset, and get its metadata back', async () => {
        const topic = await createTopic()
        await bus.produce(topic, numbered(10))
        const first = await consume(topic, 'resume')
        await first.received(10)
        expect(await first.consumer.committed(0)).toEqual({ offset: null, metadata: '' })
        await first.consumer.commit(0, 4, '{"v":1,"to":9,"n":6}')
        expect(await first.consumer.committed(0)).toEqual({
          offset: 4,
          metadata: '{"v":1,"to":9,"n":6}',
        })
        await first.consumer.stop()

        const second = await consume(topic, 'resume')
        await second.received(6)
        expect(second.values()).toEqual(names(6, 4))
        expect((await second.consumer.committed(0)).metadata).toBe('{"v":1,"to":9,"n":6}')
        await second.consumer.commit(0, 10, '')
        expect(await second.consumer.committed(0)).toEqual({ offset: 10, metadata: '' })
      })

      it('get everything again that was not committed', async () => {
        const topic = await createTopic()
        await bus.produce(topic, numbered(5))
        const first = await consume(topic, 'again')
        await first.received(5)
        await first.consumer.stop()
        const second = await consume(topic, 'again')
        await second.received(5)
        expect(second.values()).toEqual(names(5))
      })

      it('may commit before their first batch', async () => {
        const topic = await createTopic()
        const first = await consume(topic, 'early')
        await first.consumer.commit(0, 2, 'early')
        expect(await first.consumer.committed(0)).toEqual({ offset: 2, metadata: 'early' })
        await first.consumer.stop()
        await bus.produce(topic, numbered(4))
        const second = await consume(topic, 'early')
        await second.received(2)
        expect(second.values()).toEqual(['r2', 'r3'])
      })

      it('work on one batch of a partition at a time', async () => {
        const topic = await createTopic({ partitions: 2 })
        const working = new Map<number, number>()
        let overlaps = 0
        const probe = await consume(topic, 'serial', async ({ partition }) => {
          working.set(partition, (working.get(partition) ?? 0) + 1)
          if (working.get(partition) !== 1) overlaps++
          await new Promise((resolve) => setTimeout(resolve, 20))
          working.set(partition, (working.get(partition) ?? 0) - 1)
        })
        for (let round = 0; round < 10; round++) {
          await bus.produce(topic, [...numbered(3, 0), ...numbered(3, 1)])
        }
        await probe.received(60)
        expect(overlaps).toBe(0)
      })

      it('stop after the handler in progress, which can still commit, and get nothing more', async () => {
        const topic = await createTopic()
        await bus.produce(topic, numbered(3))
        const gate = createGate()
        const probe = await consume(topic, 'stop', async (batch, { consumer }) => {
          await gate.passed
          await consumer.commit(0, batch.records.at(-1)!.offset + 1, 'last words')
        })
        await eventually('the handler runs', () => probe.batches.length === 1)
        let isStopped = false
        const stopping = probe.consumer.stop().then(() => {
          isStopped = true
        })
        await bus.produce(topic, numbered(3))
        await new Promise((resolve) => setTimeout(resolve, 200))
        expect(isStopped).toBe(false)
        gate.open()
        await stopping
        expect(probe.records()).toHaveLength(3)
        expect(probe.crashes).toEqual([])

        const next = await consume(topic, 'stop')
        expect(await next.consumer.committed(0)).toEqual({ offset: 3, metadata: 'last words' })
        await next.received(3)
      })

      it('end with the error of their handler, and report it', async () => {
        const topic = await createTopic()
        await bus.produce(topic, numbered(2))
        const probe = await consume(topic, 'crash', async () => {
          throw new HaldaneError('disk_full', 'no space left')
        })
        await eventually('the crash is reported', () => probe.crashes.length > 0)
        await bus.produce(topic, numbered(2))
        await new Promise((resolve) => setTimeout(resolve, 300))
        expect(probe.crashes.map((error) => (error as HaldaneError).code)).toEqual(['disk_full'])
        expect(probe.batches).toHaveLength(1)
        expect(await codeOf(probe.consumer.commit(0, 1, ''))).toBe('fenced')
      })

      it('deliver nothing of a paused partition, and go on where they were', async () => {
        const topic = await createTopic({ partitions: 2 })
        const probe = await consume(topic, 'pause', async (batch, { consumer }) => {
          if (batch.partition === 0) consumer.pause([0])
        })
        await bus.produce(topic, [...numbered(1, 0), ...numbered(1, 1)])
        await probe.received(2)
        await bus.produce(topic, [...numbered(3, 0), ...numbered(3, 1)])
        await probe.received(5)
        await new Promise((resolve) => setTimeout(resolve, 300))
        const of = (partition: number) =>
          probe.records().filter((record) => record.partition === partition)
        expect(of(0)).toHaveLength(1)
        probe.consumer.resume([0])
        await eventually('the paused one goes on', () => of(0).length === 4)
        expect(of(0).map((record) => record.offset)).toEqual([0, 1, 2, 3])
      })
    })

    describe('groups', () => {
      it('share partitions, and hand over without loss when a member comes or goes', async () => {
        const topic = await createTopic({ partitions: 4 })
        const commitAll = async (
          batch: { partition: number; records: readonly BusRecord[] },
          self: ConsumerProbe,
        ) => {
          const next = batch.records.at(-1)!.offset + 1
          await self.consumer.commit(batch.partition, next, '').catch((error: HaldaneError) => {
            if (error.code !== 'fenced') throw error
          })
        }
        const one = await consume(topic, 'share', commitAll)
        expect(one.assignments.at(-1)?.partitions).toEqual([0, 1, 2, 3])
        const two = await consume(topic, 'share', commitAll)
        await eventually('both own two', () =>
          [one, two].every((probe) => probe.assignments.at(-1)?.partitions.length === 2),
        )
        const owned = [one, two].flatMap((probe) => probe.assignments.at(-1)!.partitions)
        expect([...owned].sort()).toEqual([0, 1, 2, 3])
        const numbers = one.assignments.map(({ number }) => number)
        expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b))

        for (const partition of [0, 1, 2, 3]) await bus.produce(topic, numbered(5, partition))
        await eventually('both work', () => one.records().length + two.records().length >= 20)
        expect(one.records().length).toBe(10)
        expect(two.records().length).toBe(10)
        await one.consumer.stop()
        await eventually(
          'the other owns all',
          () => two.assignments.at(-1)?.partitions.length === 4,
        )
        for (const partition of [0, 1, 2, 3])
          await bus.produce(topic, [{ ...value('last'), partition }])
        await two.received(14)
      })

      it('let a handler finish and commit before they hand over its partition', async () => {
        const topic = await createTopic()
        await bus.produce(topic, numbered(3))
        const gate = createGate()
        const committed: string[] = []
        const one = await consume(topic, 'courtesy', async (_, { consumer }) => {
          await gate.passed
          committed.push(await codeOf(consumer.commit(0, 3, 'done')))
        })
        await eventually('the handler runs', () => one.batches.length === 1)
        const joining = consume(topic, 'courtesy')
        setTimeout(gate.open, REBALANCE_TIMEOUT_MS / 5)
        await joining
        expect(committed).toEqual(['resolved'])
        await bus.produce(topic, [value('after')])
        const all = () => probes.flatMap((probe) => probe.values())
        await eventually('the next record came', () => all().includes('after'))
        expect(all()).toEqual(['r0', 'r1', 'r2', 'after'])
      })

      it('keep a member whose handler takes longer than the session', async () => {
        const topic = await createTopic()
        await bus.produce(topic, numbered(3))
        const gate = createGate()
        const committed: string[] = []
        const probe = await consume(topic, 'slow', async (_, { consumer }) => {
          await gate.passed
          committed.push(await codeOf(consumer.commit(0, 3, '')))
        })
        setTimeout(gate.open, SESSION_TIMEOUT_MS * 3)
        await eventually('the handler has committed', () => committed.length > 0)
        expect(committed).toEqual(['resolved'])
        expect(probe.assignments).toHaveLength(1)
      })

      it("refuse a zombie's commit, and hand it nothing more of what it has lost", async () => {
        const topic = await createTopic({ partitions: 2 })
        await bus.produce(topic, [...numbered(3, 0), ...numbered(3, 1)])
        const gate = createGate()
        const commits: string[] = []
        const zombie = await consume(topic, 'zombie', async (batch, { consumer }) => {
          if (batch.assignment > 1) return
          await gate.passed
          commits.push(await codeOf(consumer.commit(batch.partition, 3, 'from the zombie')))
        })
        await eventually('the zombie works', () => zombie.batches.length > 0)
        const heir = await consume(topic, 'zombie')
        expect(heir.assignments.at(-1)?.partitions).toEqual([0, 1])
        await eventually('the heir has all', () => heir.records().length >= 6)
        await heir.consumer.commit(0, 3, 'from the heir')
        await heir.consumer.commit(1, 3, 'from the heir')
        const delivered = zombie.batches.length
        gate.open()

        await eventually('the zombie joined again', () => zombie.assignments.length > 1)
        expect(commits.length).toBe(delivered)
        expect(new Set(commits)).toEqual(new Set(['fenced']))
        expect(zombie.batches.filter((batch) => batch.assignment === 1)).toHaveLength(delivered)
        expect(zombie.crashes).toEqual([])
        for (const partition of [0, 1]) {
          expect(await heir.consumer.committed(partition)).toEqual({
            offset: 3,
            metadata: 'from the heir',
          })
        }
        const mine = zombie.assignments.at(-1)!.partitions
        await eventually('both own one', () => heir.assignments.at(-1)?.partitions.length === 1)
        expect(mine).toHaveLength(1)
        const other = heir.assignments.at(-1)!.partitions[0]!
        expect(await codeOf(zombie.consumer.commit(other, 3, ''))).toBe('fenced')
        await bus.produce(topic, [{ ...value('after'), partition: mine[0]! }])
        await eventually('the former zombie works again', () => zombie.values().includes('after'))
      })

      it('are independent of each other', async () => {
        const topic = await createTopic()
        await bus.produce(topic, numbered(3))
        const one = await consume(topic, 'independent-1')
        const two = await consume(topic, 'independent-2')
        await Promise.all([one.received(3), two.received(3)])
        expect(one.values()).toEqual(names(3))
        await one.consumer.commit(0, 3, '')
        expect(await two.consumer.committed(0)).toEqual({ offset: null, metadata: '' })
      })
    })

    describe('reading without a group', () => {
      it('reads a partition to its end, an empty one too', async () => {
        const topic = await createTopic({ partitions: 2 })
        expect(await bus.readToEnd(topic, 0)).toEqual([])
        await bus.produce(topic, numbered(20, 1))
        expect(await bus.readToEnd(topic, 0)).toEqual([])
        const read = await bus.readToEnd(topic, 1)
        expect(read.map((record) => textOf(record.value))).toEqual(names(20))
        await bus.produce(topic, numbered(1, 1))
        expect(await bus.readToEnd(topic, 1)).toHaveLength(21)
      })

      it('reads what transactions have written, past their markers', async () => {
        const topic = await createTopic()
        const producer = await bus.fencedProducer(`read-${topic}`)
        for (let turn = 0; turn < 3; turn++) await producer.produce(topic, numbered(2))
        expect(await readCommitted(topic, 6)).toHaveLength(6)
        await bus.produce(topic, [value('plain')])
        const read = await bus.readToEnd(topic, 0)
        expect(read.map((record) => textOf(record.value)).at(-1)).toBe('plain')
        const offsets = read.map((record) => record.offset)
        expect(offsets).toEqual([...new Set(offsets)].sort((a, b) => a - b))
        await producer.close()
      })

      it('reads the newest record of every key of a compacted topic', async () => {
        const topic = await createTopic({ compacted: true })
        for (let turn = 0; turn < 30; turn++) {
          await bus.produce(
            topic,
            Array.from({ length: 50 }, (_, key) => ({
              key: `k${key}`,
              value: bytesOf(`${turn}`),
            })),
          )
        }
        await bus.produce(topic, [{ key: 'k0', value: null }])
        const newest = new Map<string | null, string | null>()
        for (const record of await bus.readToEnd(topic, 0)) {
          newest.set(textOf(record.key), textOf(record.value))
        }
        expect(newest.get('k0') ?? null).toBeNull()
        for (let key = 1; key < 50; key++) expect(newest.get(`k${key}`)).toBe('29')
      })

      it('follows what is written from now on, on every partition, until closed', async () => {
        const topic = await createTopic({ partitions: 3 })
        await bus.produce(
          topic,
          [0, 1, 2].map((partition) => ({ ...value('before'), partition })),
        )
        const seen: string[] = []
        const follower = await bus.follow(topic, ({ partition, value: bytes }) =>
          seen.push(`${partition}:${textOf(bytes)}`),
        )
        for (const text of ['a', 'b']) {
          await bus.produce(
            topic,
            [0, 1, 2].map((partition) => ({ ...value(text), partition })),
          )
        }
        await eventually('all came', () => seen.length === 6)
        expect([...seen].sort()).toEqual(['0:a', '0:b', '1:a', '1:b', '2:a', '2:b'])
        const of = (partition: number) => seen.filter((entry) => entry.startsWith(`${partition}:`))
        expect(of(1)).toEqual(['1:a', '1:b'])
        await follower.close()
        await bus.produce(topic, numbered(1))
        await new Promise((resolve) => setTimeout(resolve, 300))
        expect(seen).toHaveLength(6)
      })

      it('goes on following after a callback has thrown', async () => {
        const topic = await createTopic()
        const seen: (string | null)[] = []
        const follower = await bus.follow(topic, (record) => {
          seen.push(textOf(record.value))
          if (seen.length === 1) throw new Error('the follower is broken')
        })
        await bus.produce(topic, numbered(2))
        await bus.produce(topic, [value('third')])
        await eventually('all came', () => seen.length === 3)
        expect(seen).toEqual(['r0', 'r1', 'third'])
        await follower.close()
      })
    })

    describe('fenced producers', () => {
      it('shut out the older one of the same id, which leaves nothing behind', async () => {
        const topic = await createTopic()
        const id = `fence-${topic}`
        const older = await bus.fencedProducer(id)
        await older.produce(topic, [value('older')])
        const younger = await bus.fencedProducer(id)
        expect(await codeOf(older.produce(topic, [value('zombie')]))).toBe('fenced')
        await younger.produce(topic, [value('younger')])
        expect(await codeOf(older.produce(topic, [value('zombie')]))).toBe('fenced')
        await younger.produce(topic, [value('still')])
        const read = await readCommitted(topic, 3)
        expect(read.map((record) => textOf(record.value))).toEqual(['older', 'younger', 'still'])
        await Promise.all([older.close(), younger.close()])
      })

      it('leave those with another id alone', async () => {
        const topic = await createTopic()
        const [one, two] = [
          await bus.fencedProducer(`a-${topic}`),
          await bus.fencedProducer(`b-${topic}`),
        ]
        await one.produce(topic, [value('one')])
        await two.produce(topic, [value('two')])
        await one.produce(topic, [value('one')])
        expect(await readCommitted(topic, 3)).toHaveLength(3)
        await Promise.all([one.close(), two.close()])
      })

      it('write all records of a call, over partitions and requests, or none', async () => {
        const topic = await createTopic({ partitions: 2 })
        const producer = await bus.fencedProducer(`atomic-${topic}`)
        const bad = [...numbered(3, 0), { ...value('bad'), partition: 7 }]
        expect(await codeOf(producer.produce(topic, bad))).toBe('not_found')
        expect(await bus.readToEnd(topic, 0)).toEqual([])
        await producer.produce(topic, [...numbered(3000, 0), ...numbered(3000, 1)])
        expect(await readCommitted(topic, 3000, 0)).toHaveLength(3000)
        expect(await readCommitted(topic, 3000, 1)).toHaveLength(3000)
        await producer.close()
      })

      it('keep the order of calls that were not awaited', async () => {
        const topic = await createTopic()
        const producer = await bus.fencedProducer(`queue-${topic}`)
        await Promise.all(names(5).map((text) => producer.produce(topic, [value(text)])))
        const read = await readCommitted(topic, 5)
        expect(read.map((record) => textOf(record.value))).toEqual(names(5))
        await producer.close()
      })
    })

    it('refuses everything after it was closed, and closes twice', async () => {
      const other = await createBus()
      const topic = `contract-${run}-closed`
      await other.ensureTopics([{ name: topic, partitions: 1, compacted: false }])
      const probe = await probeConsumer(other, topic, 'closed')
      const follower = await other.follow(topic, () => {})
      const producer = await other.fencedProducer(`closed-${topic}`)
      await other.close()
      await other.close()
      const calls = [
        other.produce(topic, [value('x')]),
        other.ping(),
        other.partitionCount(topic),
        other.readToEnd(topic, 0),
        other.offsetsKept(topic, [0]),
        other.fencedProducer('late'),
        producer.produce(topic, [value('x')]),
      ]
      expect(await Promise.all(calls.map(codeOf))).toEqual(calls.map(() => 'bus_unavailable'))
      expect(probe.crashes).toEqual([])
      await Promise.all([follower.close(), producer.close(), probe.consumer.stop()])
    })
  })
}
