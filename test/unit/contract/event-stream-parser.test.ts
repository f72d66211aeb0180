import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  createEventStreamParser,
  type StreamMessage,
} from '../../../src/contract/event-stream-parser.ts'

function parseWhole(text: string): StreamMessage[] {
  return createEventStreamParser().push(Buffer.from(text))
}

test('a message has the id, the event and the data of its lines', () => {
  expect(parseWhole('id: a/b#7\nevent: decision\ndata: {"x":1}\n\n')).toEqual([
    { id: 'a/b#7', event: 'decision', data: '{"x":1}' },
  ])
})

test('comments, retry and blocks without data are no messages', () => {
  expect(parseWhole(': hello\n\nretry: 2000\n\nevent: decision\n\n:\n\n')).toEqual([])
})

test('several data lines are joined by line breaks, and one blank after the colon is dropped', () => {
  expect(parseWhole('data:one\ndata:  two\ndata\n\n')).toEqual([
    { id: '', event: 'message', data: 'one\n two\n' },
  ])
})

test('the id of a message stays the last id until another comes', () => {
  expect(parseWhole('id: 1\ndata: a\n\ndata: b\n\nid: 2\ndata: c\n\n').map(({ id }) => id)).toEqual(
    ['1', '1', '2'],
  )
})

test('a message without its final empty line is not delivered', () => {
  expect(parseWhole('id: 1\ndata: a\n\nid: 2\ndata: half')).toHaveLength(1)
})

test('lines may end with CR, LF or CRLF', () => {
  const expected = [{ id: '1', event: 'message', data: 'a' }]
  expect(parseWhole('id: 1\rdata: a\r\r')).toEqual(expected)
  expect(parseWhole('id: 1\r\ndata: a\r\n\r\n')).toEqual(expected)
})

test('cuts anywhere, also inside characters and line ends, change nothing', () => {
  const text =
    'id: r#1\r\nevent: decision\r\ndata: größer ✓ 𝄞\r\n\r\n:\n\nid: r#2\ndata: b\ndata: c\n\n'
  const bytes = Buffer.from(text)
  const whole = parseWhole(text)
  expect(whole).toHaveLength(2)
  fc.assert(
    fc.property(fc.array(fc.nat(bytes.length), { maxLength: 12 }), (cuts) => {
      const parser = createEventStreamParser()
      const ends = [...cuts, bytes.length].sort((a, b) => a - b)
      let start = 0
      const messages: StreamMessage[] = []
      for (const end of ends) {
        messages.push(...parser.push(bytes.subarray(start, end)))
        start = end
      }
      expect(messages).toEqual(whole)
    }),
  )
})
