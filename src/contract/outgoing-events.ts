import type { Decision } from '../domain/decision.ts'
import type { OutgoingRecord, RouterAck } from '../ports.ts'
import { EVENT_TYPES } from './cloud-event-type.ts'
import { kafkaHeaders } from './cloud-event-writer.ts'
import { type ControlCommand, encodeControlCommand } from './control-command.ts'
import { encodeDecision } from './decision.ts'
import { formatTime } from './rfc3339.ts'
import { encodeRouterAck } from './router-ack.ts'

/** `source` of what workers write. */
const SOURCE = '/haldane'
/** Digits of `sequence`, which is compared as text. */
const SEQUENCE_DIGITS = 20

/**
 * A decision as its record in Kafka, a CloudEvent in binary mode: the value is the decision alone.
 * Beside the required attributes: `subject` the release, `time` when it was decided, `sequence` the
 * generation with leading zeros, `expirytime` unless it holds for ever.
 */
export function decisionRecord(decision: Decision): OutgoingRecord {
  const { expiresAtMs } = decision
  const headers = kafkaHeaders({
    id: decision.decisionId,
    source: SOURCE,
    type: EVENT_TYPES.decision,
    subject: decision.releaseId,
    timeMs: decision.decidedAtMs,
    extensions: {
      sequence: String(decision.generation).padStart(SEQUENCE_DIGITS, '0'),
      ...(expiresAtMs === null ? {} : { expirytime: formatTime(expiresAtMs) }),
    },
  })
  const value = new TextEncoder().encode(encodeDecision(decision))
  return { key: decision.route, value, headers }
}

/** A command as its record in Kafka, a CloudEvent in binary mode. */
export function commandRecord(command: ControlCommand): OutgoingRecord {
  const { route, releaseId } = command
  const headers = kafkaHeaders({
    id: command.commandId,
    source: SOURCE,
    type: EVENT_TYPES.command,
    subject: releaseId ?? route,
    timeMs: command.atMs,
  })
  return { key: route, value: encodeControlCommand(command), headers }
}

/** An ack that came over HTTP as its record in Kafka, a CloudEvent in binary mode. */
export function ackRecord(ack: RouterAck, id: string): OutgoingRecord {
  const headers = kafkaHeaders({
    id,
    source: SOURCE,
    type: EVENT_TYPES.ack,
    subject: ack.route,
    timeMs: ack.appliedAtMs,
  })
  return { key: ack.route, value: encodeRouterAck(ack), headers }
}
