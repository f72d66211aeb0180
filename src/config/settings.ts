import { didYouMean } from '../contract/near-miss.ts'
import { readText } from './kinds.ts'
import {
  SETTABLE_NAMES,
  VARIABLE_NAMES,
  type Values,
  type VariableName,
  variableOf,
} from './variables.ts'

export type Environment = Readonly<Record<string, string | undefined>>

export interface Setting {
  readonly name: VariableName
  /** As given or by default; of a secret `***`; null without a value. */
  readonly shown: string | null
  readonly source: 'environment' | 'file' | 'default'
}

/** What the environment says, as far as each variable can be judged by itself. */
export interface Settings {
  readonly values: Values
  readonly list: readonly Setting[]
  /** One line each, without secrets. */
  readonly problems: readonly string[]
  /** True for a variable that was given, whether or not its value is allowed. */
  isGiven(name: VariableName): boolean
}

const MASK = '***'

/** Reads every variable of the table; one that is empty counts as not set. */
export function readSettings(env: Environment): Settings {
  const given = new Map<string, string>()
  for (const [name, value] of Object.entries(env)) {
    if (name.startsWith('HALDANE_') && value) given.set(name, value)
  }
  const problems = unknownNames(given)
  const values: Record<string, unknown> = {}
  const list: Setting[] = []
  for (const name of VARIABLE_NAMES) {
    const { value, problem, ...setting } = readOne(given, name)
    values[name] = value
    list.push(setting)
    if (problem !== null) problems.push(problem)
  }
  return {
    // Every name of the table was put in above, with what its kind parses to.
    values: values as Values,
    list,
    problems,
    isGiven: (name) => given.has(name) || given.has(`${name}_FILE`),
  }
}

interface Read extends Setting {
  readonly value: unknown
  readonly problem: string | null
}

function readOne(given: ReadonlyMap<string, string>, name: VariableName): Read {
  const { kind, secret, ...variable } = variableOf(name)
  const besideKafka = given.has('HALDANE_KAFKA_BROKERS')
  const fallback = (besideKafka ? variable.defaultBesideKafka : null) ?? variable.default
  const found = textOf(given, name, secret) ?? { source: 'default' as const, text: fallback }
  const read = { name, value: null, shown: null, source: found.source, problem: null }
  if ('problem' in found) return { ...read, problem: found.problem }
  if (found.text === null) return read
  const shown = secret ? MASK : maskUser(found.text)
  const parsed = kind.parse(found.text)
  if ('value' in parsed) return { ...read, shown, value: parsed.value }
  const seen = secret ? MASK : JSON.stringify(shown)
  return { ...read, shown, problem: `${name} is ${seen}: ${parsed.problem}` }
}

type Found =
  | { readonly source: 'environment' | 'file'; readonly text: string }
  | { readonly source: 'environment' | 'file'; readonly problem: string }

function textOf(given: ReadonlyMap<string, string>, name: string, secret: boolean): Found | null {
  const text = given.get(name)
  const path = secret ? given.get(`${name}_FILE`) : undefined
  if (path === undefined) return text === undefined ? null : { source: 'environment', text }
  if (text !== undefined) {
    const problem = `${name} and ${name}_FILE are both set: unset one of them`
    return { source: 'file', problem }
  }
  const read = readText(path)
  const problem = (why: string): Found => ({
    source: 'file',
    problem: `${name}_FILE is ${JSON.stringify(path)}: ${why}`,
  })
  if ('problem' in read) return problem(read.problem)
  const content = read.value.replace(/\r?\n$/, '')
  return content === '' ? problem('the file is empty') : { source: 'file', text: content }
}

/** The values of names nobody knows stay unsaid: one may be a secret under a mistyped name. */
function unknownNames(given: ReadonlyMap<string, string>): string[] {
  return [...given]
    .filter(([name, value]) => !SETTABLE_NAMES.includes(name) && !isServiceLink(name, value))
    .map(([name]) => `${name} is not a variable of Haldane${didYouMean(name, SETTABLE_NAMES)}`)
}

/**
 * What Kubernetes puts into every container of a namespace in which a service is called `haldane`,
 * or `haldane-…`: its doing, and no mistake.
 */
function isServiceLink(name: string, value: string): boolean {
  if (/_SERVICE_(HOST|PORT(_[A-Z0-9_]+)?)$/.test(name)) return true
  if (/_PORT_\d+_(TCP|UDP|SCTP)_(PROTO|PORT|ADDR)$/.test(name)) return true
  return /_PORT(_\d+_(TCP|UDP|SCTP))?$/.test(name) && /^(tcp|udp|sctp):\/\//.test(value)
}

/** A password in front of an @ may hold slashes and commas. */
function maskUser(text: string): string {
  return text.replace(/^([a-z0-9+_-]*:\/\/)?.*@/is, `$1${MASK}@`)
}
