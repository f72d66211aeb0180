import { encodeDecision } from '../../contract/decision.ts'
import type { Decision } from '../../domain/decision.ts'

const frames = new WeakMap<Decision, Buffer>()

/** The decision as one server-sent event. Encoded once, however many readers there are. */
export function frameOf(decision: Decision): Buffer {
  const known = frames.get(decision)
  if (known !== undefined) return known
  const id = `${decision.route}#${decision.generation}`
  const frame = Buffer.from(`id: ${id}\nevent: decision\ndata: ${encodeDecision(decision)}\n\n`)
  frames.set(decision, frame)
  return frame
}
