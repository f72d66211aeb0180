import { z } from 'zod'

/** What was done with a start or a command. */
export const receiptSchema = z
  .object({
    release_id: z.string().describe('The release it was about; a start makes a new one.'),
    command_id: z.string().describe('The command, as it is on record.'),
    message: z.string().describe('What happened, for people.'),
  })
  .meta({ title: 'Receipt', description: 'What was done.' })

/** What was done with the events of a request. */
export const eventsReceiptSchema = z
  .object({
    accepted: z.int().min(0).describe('Events that were kept.'),
    rejected: z.int().min(0).describe('Events that were not; 0 in a success.'),
    stored: z
      .boolean()
      .describe('True when the accepted events are in the store, false when they are in Kafka.'),
  })
  .meta({ title: 'Events receipt', description: 'What was done with the events.' })

export const healthSchema = z
  .object({
    status: z.enum(['ok', 'failed']),
    version: z.string().describe('Of the program.'),
    checks: z.array(
      z.object({
        name: z.string(),
        ok: z.boolean(),
        detail: z.string().describe('Withheld from who carries no token.'),
      }),
    ),
  })
  .meta({ title: 'Health', description: 'Which parts are well.' })

const faultSchema = z
  .object({
    index: z.int().min(0).optional().describe('Which event of the request, from 0.'),
    file: z.string().optional().describe('Name of the release file.'),
    line: z.int().min(1).optional().describe('Line in that file, from 1.'),
    column: z.int().min(1).optional().describe('Column in that line, from 1.'),
    field: z.string().describe('Path of the field; empty for the whole value.'),
    code: z.string().optional().describe('A stable word: missing, type, range, format, …'),
    message: z.string().describe('What is wrong and what is allowed.'),
  })
  .describe('One thing that is wrong.')

/** What would be said of the events of a request. */
export const eventsReportSchema = z
  .object({
    summary: z.object({
      events: z.int().min(0).describe('Events in the body.'),
      valid: z.int().min(0).describe('Events that would be kept.'),
      invalid: z.int().min(0).describe('Events that would be rejected.'),
    }),
    errors: z.array(faultSchema).describe('The wrong fields; at most 1,000.'),
  })
  .meta({ title: 'Events report', description: 'Which events are valid, and what is wrong.' })

/** RFC 9457 problem details, with what to do and which fields are wrong. */
export const problemSchema = z
  .object({
    type: z.string().describe('A stable address that names the kind: /problems/<code>.'),
    title: z.string().describe('The kind, for people.'),
    status: z.int().min(400).max(599).describe('The HTTP status.'),
    detail: z.string().describe('What went wrong this time.'),
    remedy: z.string().optional().describe('What to do.'),
    errors: z.array(faultSchema).optional().describe('The wrong fields; at most 1,000 of events.'),
    accepted: z.int().min(0).optional().describe('Events of the request that were kept.'),
    rejected: z.int().min(0).optional().describe('Events of the request that were not.'),
    stored: z.boolean().optional().describe('Whether the kept ones are in the store already.'),
    release_id: z.string().optional().describe('The release a refused command was about.'),
    command_id: z.string().optional().describe('The refused command, as it is on record.'),
    request_id: z.string().optional().describe("Where to look in the worker's log."),
  })
  .meta({ title: 'Problem', description: 'Why a request failed (RFC 9457), and what to do.' })
