/** The allowed word a mistyped one most likely stands for; null when none is near. */
export function nearestWord(word: string, allowed: readonly string[]): string | null {
  const typed = normalised(word)
  let nearest: string | null = null
  // Two slips in a long word, one in a short one; what is further off is another word.
  let distance = typed.length > 4 ? 2 : 1
  for (const candidate of allowed) {
    const found = editDistance(typed, normalised(candidate), distance)
    if (found > distance || (found === distance && nearest !== null)) continue
    nearest = candidate
    distance = found
  }
  return nearest ?? completionOf(typed, allowed)
}

/** `; did you mean "x"?`, or nothing. */
export function didYouMean(word: string, allowed: readonly string[]): string {
  const nearest = nearestWord(word, allowed)
  return nearest === null ? '' : `; did you mean "${nearest}"?`
}

/** The only word that begins with an abbreviation of at least three letters. */
function completionOf(typed: string, allowed: readonly string[]): string | null {
  const longer = allowed.filter((candidate) => normalised(candidate).startsWith(typed))
  return typed.length >= 3 && longer.length === 1 ? (longer[0] ?? null) : null
}

function normalised(word: string): string {
  return word.slice(0, 64).toLowerCase().replaceAll(/[-\s]/g, '_')
}

/**
 * Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours; exact up
 * to `limit`, larger than it beyond.
 */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let best = Math.min(at(last, j) + 1, at(row, j - 1) + 1, at(last, j - 1) + (same ? 0 : 1))
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      if (swapped) best = Math.min(best, at(beforeLast, j - 2) + 1)
      row.push(best)
    }
    beforeLast = last
    last = row
  }
  return at(last, b.length)
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY
}
