/** Quality scores and KPIs are stored and summed as whole millionths, so that no order changes a bit. */
export const MILLIONTHS = 1_000_000

export function toMillionths(value: number): number {
  // Adding 0 turns -0 into 0, which an integer column cannot hold.
  return Math.round(value * MILLIONTHS) + 0
}

/** A sum of millionths, given as a decimal integer of any length. */
export function fromMillionths(sum: string): number {
  return Number(sum) / MILLIONTHS
}

/** A sum of squares of millionths. */
export function fromSquaredMillionths(sum: string): number {
  return Number(sum) / (MILLIONTHS * MILLIONTHS)
}
