import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { releaseFile } from '../../support/event-generator.ts'
import { PROGRAM } from '../../support/program.ts'
import { runHaldane } from '../../support/run-haldane.ts'
import { mixedEvents } from './mixed-stream.ts'
import { useReplay } from './replay-run.ts'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const GOOD = releaseFile()

/** A release file with one thing wrong, the place of it and the words of the refusal. */
const BAD_RELEASES: readonly (readonly [
  what: string,
  text: string,
  refusals: readonly string[],
])[] = [
  [
    'an unknown key',
    GOOD.replace('guardrails:', 'guardrail:'),
    ['7:1: guardrail: is not a known key; did you mean "guardrails"?'],
  ],
  [
    'a limit without unit',
    GOOD.replace('200ms', '200'),
    ['8:33: guardrails[0].max: 200 has no unit; write 200ms'],
  ],
  [
    'an unknown metric',
    GOOD.replace('quality', 'qualty'),
    ['12:15: guardrails[4].metric: is "qualty", which is no metric'],
  ],
  [
    'weights that do not grow',
    GOOD.replace('weight: 50', 'weight: 10'),
    ['6:15: plan[1].weight: is 10'],
  ],
  [
    'a policy that is not there',
    `extends: none.yaml\n${GOOD}`,
    ['1:10: extends: none.yaml cannot be read'],
  ],
  ['a key written twice', `${GOOD}route: a/b\n`, ['16:1: route: is written twice']],
  [
    'several faults',
    GOOD.replace('warmup: 0s', 'warmup: soon\nheartbeat: 1\nmode: try'),
    ['15:9: warmup: is "soon"', '16:12: heartbeat: 1 has no unit', '17:7: mode: is "try"'],
  ],
  [
    'no YAML',
    GOOD.replace('plan:', 'plan: ['),
    ['5:3: cannot be read as YAML from here', '7:1: cannot be read as YAML from here'],
  ],
  [
    'keys missing',
    '{"route": "a/b"}',
    [
      '1:1: stable: is missing',
      '1:1: canary: is missing',
      '1:1: plan: is missing',
      '1:1: guardrails: is missing',
    ],
  ],
  ['nothing', '', ['1:1: is empty']],
  ['bytes that are no text', '\u0000\u0001\ufffd', ['1:1: ']],
]

describe('haldane replay', () => {
  const desk = useReplay()
  const lines = mixedEvents(21, 3000, 120_000).map((event) => JSON.stringify(event))
  // One for all runs, for the loader keeps the compiled sources there.
  const scratch = () => desk.path('scratch')
  const left = () => readdirSync(scratch()).filter((name) => name.startsWith('haldane'))
  beforeAll(() => {
    mkdirSync(scratch())
  })

  /** Runs with a temporary directory of its own, and says what is left in it. */
  const run = async (args: readonly string[]) => {
    const ran = await runHaldane(['replay', ...args], { env: { TMPDIR: scratch() } })
    return { ...ran, left: left() }
  }
  const goodFiles = async () => {
    const release = await desk.file('release.yaml', GOOD)
    const events = await desk.file('events.ndjson', lines.join('\n'))
    return ['--json', '--release', release, '--events', events]
  }

  it.each(BAD_RELEASES)(
    'refuses a release file with %s, by its place, and starts nothing',
    async (_, text, refusals) => {
      const release = await desk.file('release.yaml', text)
      const events = await desk.file('events.ndjson', lines.join('\n'))
      const { exitCode, stdout, stderr, left } = await run([
        '--release',
        release,
        '--events',
        events,
      ])
      expect([exitCode, stdout, left]).toEqual([2, '', []])
      const said = stderr.replace(/^error: /, '').split('\n')
      for (const [index, refusal] of refusals.entries()) {
        expect(said[index]).toContain(`${release}:${refusal}`)
      }
      expect(said.slice(refusals.length)).toEqual(['  nothing was started', ''])
    },
  )

  it.each([
    [
      'a release file that is not there',
      ['--release', 'nowhere/release.yaml'],
      'nowhere/release.yaml: there is no such file',
    ],
    ['a directory as release file', ['--release', 'src'], 'src: it is a directory'],
    [
      'an events file that is not there',
      ['--events', 'nowhere/events.ndjson'],
      'nowhere/events.ndjson: there is no such file',
    ],
    ['a directory as events file', ['--events', 'src'], 'src: it is a directory'],
    [
      'a control file that is not there',
      ['--control', 'nowhere/control.ndjson'],
      'nowhere/control.ndjson: there is no such file',
    ],
    ['a directory as control file', ['--control', 'src'], 'src: it is a directory'],
    ['a control file without commands', ['--control', 'LICENSE'], 'LICENSE:1: not JSON'],
    ['a start that is no time', ['--start', 'yesterday'], '--start: "yesterday" is no time'],
    [
      'a start in the wrong year',
      ['--start', '2025-11-23T10:00:00Z'],
      'the release would start 365d before the first event',
    ],
    ['an unknown option', ['--fast'], "unknown option '--fast'"],
    ['an option without its value', ['--start'], "option '--start <time>' argument missing"],
    ['an argument too many', ['events.ndjson'], "too many arguments for 'replay'"],
    ['another split', ['--split', 'planned'], '--split: "planned" is not known'],
    ['batches of no rows', ['--batch-rows', '0'], '--batch-rows: "0" is no number of rows'],
    ['batches of something', ['--batch-rows', '1e3'], '--batch-rows: "1e3" is no number of rows'],
  ])('refuses %s with one clear line', async (_, args, message) => {
    const { exitCode, stdout, stderr, left } = await run([...(await goodFiles()), ...args])
    expect([exitCode, stdout, left]).toEqual([2, '', []])
    expect(stderr.replace(/^error: /, '').split('\n')[0]).toContain(message)
    expect(stderr).not.toMatch(/\n\s+at /)
  })

  it('refuses to run without its two files', async () => {
    const { exitCode, stderr } = await run(['--json'])
    expect(exitCode).toBe(2)
    expect(stderr).toContain("required option '--release <file>' not specified")
  })

  it.each([
    ['an empty file', ''],
    ['a file of blank lines', '\n\r\n \n'],
    [
      'events of other routes only',
      `${JSON.stringify({ ...JSON.parse(lines[0] as string), model_name: 'translator' })}\n`,
    ],
  ])('decides nothing about %s, and says so', async (_, text) => {
    const events = await desk.file('events.ndjson', text)
    const release = await desk.file('release.yaml', GOOD)
    for (const form of [['--json'], []]) {
      const ran = await run([...form, '--release', release, '--events', events])
      expect([ran.exitCode, ran.stdout, ran.left]).toEqual([0, '', []])
      const count = text.includes('{') ? 1 : 0
      // On a slow machine it also says how far it is.
      expect(ran.stderr.replace(/^(read [\d ]+ events …\n)+/, '')).toBe(
        'no event of intent-classifier/production: no release to decide on\n' +
          `{"events":${count},"accepted":${count},"rejected":0,"duplicates":0,"late":0}\n`,
      )
    }
  })

  it('shows people one line a decision, then the reasons and the evidence, without colours', async () => {
    const files = (await goodFiles()).slice(1)
    const { exitCode, stdout, left } = await run(files)
    const json = await run(['--json', ...files])
    expect([exitCode, left]).toEqual([0, []])
    const decisions = json.stdout.split('\n').length - 1
    const shown = stdout.split('\n')
    expect(shown[decisions]).toBe('')
    expect(shown[0]).toContain('1.5.0 starts at weight 10 of 100 beside 1.4.2')
    expect(stdout).toContain('error_rate')
    expect(stdout).not.toContain('\u001b')
  })

  it('ends well when its reader has seen enough, and leaves nothing behind', async () => {
    const child = start(await goodFiles(), scratch())
    child.stdin.end()
    const errors = textOf(child.stderr)
    await once(child.stdout, 'data')
    child.stdout.destroy()
    const [code] = (await once(child, 'close')) as [number | null]
    expect([code, left()]).toEqual([0, []])
    expect((await errors).trimEnd()).toMatch(/^\{"events":3000,.*\}$/)
  })

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'leaves nothing behind when %s ends it',
    async (signal) => {
      const [, release] = (await goodFiles()).slice(1)
      const child = start(['--release', release as string, '--events', '-'], scratch())
      child.stdin.write(`${lines.join('\n')}\n`)
      const ended = once(child, 'close')
      while (left().length === 0) {
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
      child.kill(signal)
      expect(await ended).toEqual([null, signal])
      expect(left()).toEqual([])
    },
  )
})

function start(args: readonly string[], scratch: string) {
  const child = spawn(process.execPath, [PROGRAM, 'replay', ...args], {
    cwd: ROOT,
    env: { ...process.env, TMPDIR: scratch },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  // It may end before it has read everything.
  child.stdin.on('error', () => undefined)
  return child
}

async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  let text = ''
  for await (const chunk of stream) text += String(chunk)
  return text
}
