import { formatProblem, parseReleaseFile } from '../../src/contract/release-file.ts'
import type { ReleaseSpec } from '../../src/domain/release.ts'

/** "overall" only, weight 1, judged from the first block on. */
export const BARE = 'cohorts: { by: [] }\nwarmup: 0s\n'

/** A release file. */
export function releaseText(
  guardrails: readonly string[],
  keys = '',
  plan = '- { weight: 10 }',
): string {
  return [
    'route: sim/production',
    'stable: 1.0.0',
    'canary: 1.1.0',
    `plan:\n  ${plan.split('\n').join('\n  ')}`,
    `guardrails:\n${guardrails.map((line) => `  - { ${line} }`).join('\n')}`,
    keys,
  ].join('\n')
}

const read = new Map<string, ReleaseSpec>()

/** A release as the shipped reader of release files understands it, its defaults filled in. */
export function releaseSpec(
  guardrails: readonly string[],
  keys?: string,
  plan?: string,
): ReleaseSpec {
  const text = releaseText(guardrails, keys, plan)
  // Every repetition of a case has the same file, and some are over after a few blocks.
  const known = read.get(text)
  if (known !== undefined) return known
  const parsed = parseReleaseFile(text, { fileName: 'simulation' })
  if (!('spec' in parsed)) throw new Error(parsed.problems.map(formatProblem).join('\n'))
  read.set(text, parsed.spec)
  return parsed.spec
}
