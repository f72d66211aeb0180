import { expect } from 'vitest'
import { formatProblem, parseReleaseFile } from '../../../src/contract/release-file.ts'
import { SMALL_TEXT } from './release-samples.ts'

export function specOf(text: string, policies: Readonly<Record<string, string>> = {}) {
  const readPolicy = (path: string) => {
    const policy = policies[path]
    if (policy === undefined) throw new Error('no such file')
    return policy
  }
  const parsed = parseReleaseFile(text, { fileName: 'r.yaml', readPolicy })
  if ('problems' in parsed) throw new Error(parsed.problems.map(formatProblem).join('\n'))
  return parsed.spec
}

export function problemsOf(
  text: string,
  policies: Readonly<Record<string, string>> = {},
): string[] {
  try {
    specOf(text, policies)
    return []
  } catch (error) {
    return (error as Error).message.split('\n')
  }
}

/** The small file with one top-level key replaced or added. */
export function small(key: string, value: string): string {
  const lines = SMALL_TEXT.split('\n').filter((line) => !line.startsWith(`${key}:`))
  return `${lines.join('\n')}${key}: ${value}\n`
}

export const onlyProblem = (text: string) => {
  const problems = problemsOf(text)
  expect(problems.length, problems.join('\n')).toBe(1)
  return problems[0]
}
