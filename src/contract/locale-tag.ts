/** Locale of events that name none or an invalid one (BCP 47 "undetermined"). */
export const UNDETERMINED = 'und'

const MAX_LENGTH = 64
// A producer that sends random text must not grow the cache; real traffic has a few hundred locales.
const CACHE_SIZE = 4096
const cache = new Map<string, string | null>()

/** Canonical BCP 47 form (`en_us` → `en-US`); null when the text is not a valid tag of at most 64 characters. */
export function canonicalLocale(text: string): string | null {
  const known = cache.get(text)
  if (known !== undefined) return known
  if (text.length > MAX_LENGTH) return null
  const canonical = canonicalise(text)
  if (cache.size >= CACHE_SIZE) cache.clear()
  cache.set(text, canonical)
  return canonical
}

function canonicalise(text: string): string | null {
  try {
    return Intl.getCanonicalLocales(text.replaceAll('_', '-'))[0] ?? null
  } catch {
    return null
  }
}
