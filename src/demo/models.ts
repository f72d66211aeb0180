import { HaldaneError } from '../domain/errors.ts'
import { loadOptional } from './optional-package.ts'

interface Build {
  readonly version: string
  readonly build: string
  load(): Promise<{ detect(text: string): string }>
}

/** The three builds of tinyld 1.3.4 that stand for the versions of one language identifier. */
const BUILDS: readonly Build[] = [
  { version: '1.0.0', build: 'tinyld/light', load: () => import('tinyld/light') },
  { version: '1.1.0', build: 'tinyld', load: () => import('tinyld') },
  { version: '1.2.0', build: 'tinyld/heavy', load: () => import('tinyld/heavy') },
]

export interface Models {
  readonly versions: readonly string[]
  /** ISO 639-1 code of the text's language; empty when the model has no idea. Throws `not_found`. */
  predict(version: string, text: string): string
}

/** Loads all three builds. Throws `missing_dependency` when tinyld is not installed. */
export async function loadModels(): Promise<Models> {
  const detectors = new Map<string, (text: string) => string>()
  for (const build of BUILDS) {
    const { detect } = await loadOptional('tinyld', build.load)
    detectors.set(build.version, (text) => detect(text))
  }
  return {
    versions: [...detectors.keys()],
    predict(version, text) {
      const detect = detectors.get(version)
      if (detect === undefined) {
        throw new HaldaneError('not_found', `There is no build for version ${version}.`, {
          remedy: `Use one of ${[...detectors.keys()].join(', ')}.`,
        })
      }
      return detect(text)
    },
  }
}

/** The package behind each version, for people. */
export function describeBuilds(): { readonly version: string; readonly build: string }[] {
  return BUILDS.map(({ version, build }) => ({ version, build }))
}

const WARM_UP_CALLS = 3000
const WARM_UP_SLICE_MS = 5

/**
 * Calls the model until the engine has compiled it and its tables are in memory, so that the first
 * real requests do not pay for that. Works in short slices: other requests go on being served.
 */
export async function warmUp(
  models: Models,
  version: string,
  texts: readonly string[],
  calls = WARM_UP_CALLS,
): Promise<void> {
  // A stride without a common factor visits all languages, not the first ones only.
  const stride = 7919
  let sliceEndsAt = performance.now() + WARM_UP_SLICE_MS
  for (let i = 0; i < calls; i++) {
    models.predict(version, texts[(i * stride) % texts.length] ?? '')
    if (performance.now() < sliceEndsAt) continue
    await new Promise((resolve) => setImmediate(resolve))
    sliceEndsAt = performance.now() + WARM_UP_SLICE_MS
  }
}
