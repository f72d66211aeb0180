import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readMessages, type StreamMessage } from '../../../src/demo/decision-stream.ts'

async function* chunksOf(bytes: Uint8Array, cuts: readonly number[]): AsyncGenerator<Uint8Array> {
  const ends = [...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length]
  let start = 0
  for (const end of ends) {
    yield bytes.slice(start, end)
    start = end
  }
}

async function read(text: string, cuts: readonly number[] = []): Promise<StreamMessage[]> {
  const messages: StreamMessage[] = []
  const chunks = chunksOf(new TextEncoder().encode(text), cuts)
  for await (const message of readMessages(chunks, () => {})) messages.push(message)
  return messages
}

describe('readMessages', () => {
  it('reads id, event and data, keeps the last id, and passes over comments and other fields', async () => {
    expect(
      await read(
        ': hello\n\nid: r#1\nevent: decision\ndata: {"a":\ndata: 1}\nretry: 10\n\ndata:x\n\n',
      ),
    ).toEqual([
      { id: 'r#1', event: 'decision', data: '{"a":\n1}' },
      { id: 'r#1', event: 'message', data: 'x' },
    ])
  })

  it('drops a message that the end cut off', async () => {
    expect(await read('data: whole\n\ndata: half\n')).toEqual([
      { id: '', event: 'message', data: 'whole' },
    ])
  })

  it('reads the same messages however the bytes are cut, with any line break', async () => {
    const expected = [
      { id: 'ä#1', event: 'decision', data: 'größer' },
      { id: 'ä#2', event: 'message', data: '' },
      { id: 'ä#2', event: 'message', data: '𠮷\nz' },
    ]
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('\n', '\r\n'),
        fc.array(fc.nat({ max: 120 }), { maxLength: 20 }),
        async (br, cuts) => {
          const lines = [
            ...['id: ä#1', 'event: decision', 'data: größer', ''],
            ...[':', 'id: ä#2', 'data', '', 'data: 𠮷', 'data: z', ''],
          ]
          expect(await read(lines.map((line) => line + br).join(''), cuts)).toEqual(expected)
        },
      ),
    )
  })

  it('reports every arrival, also of comments', async () => {
    let arrivals = 0
    const chunks = chunksOf(new TextEncoder().encode(':\n:\n:\n'), [2, 4])
    for await (const _ of readMessages(chunks, () => arrivals++));
    expect(arrivals).toBe(3)
  })
})
