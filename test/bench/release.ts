import { parseReleaseFile } from '../../src/contract/release-file.ts'
import type { ReleaseSpec } from '../../src/domain/release.ts'
import { releaseFile } from '../support/event-generator.ts'

/** Five guardrails on sixty cohorts, blocks of ten seconds; it stays on its first step all along. */
export const RELEASE = releaseFile({
  plan: '  - { weight: 10, min_duration: 90h }\n  - { weight: 50, min_duration: 1h }',
  rest: 'max_duration: 99h\n',
}).replace('blocks: { length: 5s, watermark: 10s', 'blocks: { length: 10s, watermark: 30s')

export function releaseSpec(): ReleaseSpec {
  const parsed = parseReleaseFile(RELEASE, { fileName: 'release.yaml' })
  if ('spec' in parsed) return parsed.spec
  throw new Error(JSON.stringify(parsed.problems))
}
