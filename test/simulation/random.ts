/** A stream of pseudo-random numbers; equal keys give equal streams. */
export interface Random {
  /** Uniform in [0, 1), 32 bits. */
  next(): number
  /** Uniform over the unsigned 32-bit integers. */
  bits(): number
}

const WARM_UP = 12

/**
 * sfc32, seeded by a hash of the key. Every repetition of every case has a stream of its own, so a
 * result depends on nothing but the key: not on other repetitions, their order, or the process.
 */
export function randomOf(...key: readonly (string | number)[]): Random {
  let [a, b, c, d] = hashOf(key.join('\u0000'))
  const bits = (): number => {
    const sum = (((a + b) | 0) + d) | 0
    d = (d + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (c << 21) | (c >>> 11)
    c = (c + sum) | 0
    return sum >>> 0
  }
  for (let i = 0; i < WARM_UP; i++) bits()
  return { bits, next: () => bits() / 4_294_967_296 }
}

/** Four 32-bit words in which every character of the text has changed every bit with chance ½. */
function hashOf(text: string): [number, number, number, number] {
  const words = [1779033703, 3144134277, 1013904242, 2773480762]
  const primes = [597399067, 2869860233, 951274213, 2716044179]
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    for (let w = 0; w < 4; w++) {
      words[w] = words[(w + 1) & 3]! ^ Math.imul(words[w]! ^ code, primes[w]!)
    }
  }
  for (let round = 0; round < 2; round++) {
    for (let w = 0; w < 4; w++) {
      const other = words[(w + 1) & 3]!
      words[w] = Math.imul(words[w]! ^ (other >>> 15) ^ (other << 7), primes[w]!) >>> 0
    }
  }
  return words as [number, number, number, number]
}
