import { readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { Policies } from '../../contract/release-file.ts'

/**
 * Organisation policies on this machine: the one of the environment, which release files extend when
 * they name none, and its neighbours. A release file that comes over the network can name no other
 * file of the machine.
 */
export function createPolicyFiles(policyFile: string | null): Policies {
  if (policyFile === null) {
    return {
      defaultPath: null,
      read: () => {
        throw new Error('the worker has no policies: set HALDANE_POLICY, or copy it into the file')
      },
    }
  }
  const directory = dirname(policyFile)
  return {
    defaultPath: basename(policyFile),
    read: (path) => {
      if (path !== basename(path)) {
        throw new Error('only a file beside the policy of the worker may be named, without a path')
      }
      return readFileSync(join(directory, path), 'utf8')
    },
  }
}
