import { HaldaneError } from '../domain/errors.ts'

/**
 * Loads a package that an installation may have left out. Throws `missing_dependency` when it is not
 * there; any other failure inside the package stays as it is.
 */
export async function loadOptional<T>(name: string, load: () => T | Promise<T>): Promise<T> {
  try {
    return await load()
  } catch (error) {
    if (!isNotFound(error, name)) throw error
    throw new HaldaneError('missing_dependency', `The demo needs the package ${name}.`, {
      remedy: 'Install with optional dependencies: npm install --include=optional',
      cause: error,
    })
  }
}

function isNotFound(error: unknown, name: string): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false
  const notFound = error.code === 'ERR_MODULE_NOT_FOUND' || error.code === 'MODULE_NOT_FOUND'
  return notFound && error.message.includes(name)
}
