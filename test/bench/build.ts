import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** What is measured as it is built for the package: run from source it is slower and larger. */
export async function build(): Promise<void> {
  const root = fileURLToPath(new URL('../..', import.meta.url))
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  await promisify(execFile)(process.execPath, [tsc, '-p', join(root, 'tsconfig.build.json')])
}
