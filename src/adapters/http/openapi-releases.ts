import { DECISION_EXAMPLE, RELEASE_FILE_EXAMPLE } from '../../contract/contract-examples.ts'
import { componentRef } from '../../contract/schema-components.ts'
import { answer, type Documented, failures, GUARDED, query } from './openapi-answers.ts'
import { LONGEST_FILE, LONGEST_FILE_NAME, LONGEST_NAME, LONGEST_REASON } from './release-routes.ts'

const releaseId = {
  name: 'id',
  in: 'path',
  required: true,
  description: 'Id of the release, URL-encoded: its slashes are written %2F.',
  schema: { type: 'string' },
  example: DECISION_EXAMPLE.release_id,
}

const releases: Documented = {
  operationId: 'listReleases',
  tags: ['releases'],
  summary: 'All releases, newest first',
  responses: {
    200: answer('Releases.', { type: 'array', items: componentRef('Release') }),
    ...failures(...GUARDED),
  },
}

const release: Documented = {
  operationId: 'showRelease',
  tags: ['releases'],
  summary: 'One release as it stands now',
  parameters: [releaseId],
  responses: {
    200: answer('The release.', componentRef('Release')),
    ...failures(404, ...GUARDED),
  },
}

const receiptExample = {
  done: {
    value: { release_id: DECISION_EXAMPLE.release_id, command_id: 'c-1', message: 'started' },
  },
}

const start: Documented = {
  operationId: 'startRelease',
  tags: ['releases'],
  summary: 'Start a release',
  description: `The body is the release file as it is, at most ${LONGEST_FILE} characters; the media type is not looked at.`,
  parameters: [
    query('by', 'Who starts it.', { maxLength: LONGEST_NAME, default: 'unknown' }),
    query('reason', 'Why.', { maxLength: LONGEST_REASON }),
    query('start', 'Event time from which to judge; now when missing.', { format: 'date-time' }),
    {
      name: 'X-File-Name',
      in: 'header',
      description: 'What the file is called in problems; percent-encoded.',
      schema: { type: 'string', maxLength: LONGEST_FILE_NAME, default: 'release.yaml' },
    },
  ],
  requestBody: {
    required: true,
    content: {
      'application/yaml': { schema: { type: 'string' }, example: RELEASE_FILE_EXAMPLE },
      'application/json': { schema: componentRef('ReleaseFile') },
    },
  },
  responses: {
    201: {
      ...answer('Started; the first decision follows.', componentRef('Receipt'), receiptExample),
      headers: {
        Location: { description: 'Address of the release.', schema: { type: 'string' } },
      },
    },
    ...failures(400, 409, 413, 415, 422, 429, ...GUARDED),
  },
}

const verdict: Documented = {
  operationId: 'judgeRelease',
  tags: ['releases'],
  summary: 'The newest decision of a release, for gates',
  description:
    'For pipelines that wait: go on when data.ok, go back when data.action is rollback, else ask again.',
  parameters: [releaseId],
  responses: {
    200: answer('The verdict.', componentRef('Verdict'), {
      rollback: {
        value: {
          data: {
            ok: false,
            inconclusive: false,
            action: DECISION_EXAMPLE.action,
            phase: DECISION_EXAMPLE.phase,
            release_id: DECISION_EXAMPLE.release_id,
            generation: DECISION_EXAMPLE.generation,
            decided_at: DECISION_EXAMPLE.decided_at,
            reasons: DECISION_EXAMPLE.reasons,
          },
        },
      },
    }),
    ...failures(404, ...GUARDED),
  },
}

function command(kind: string, summary: string): Documented {
  return {
    operationId: `${kind}Release`,
    tags: ['releases'],
    summary,
    parameters: [releaseId],
    requestBody: {
      content: {
        'application/json': {
          schema: {
            type: 'object',
            properties: {
              by: { type: 'string', maxLength: LONGEST_NAME, description: 'Who does it.' },
              reason: { type: 'string', maxLength: LONGEST_REASON, description: 'Why.' },
            },
          },
          example: { by: 'mia', reason: 'marketing mail goes out at 11' },
        },
      },
    },
    responses: {
      200: answer('Done; a decision follows.', componentRef('Receipt'), receiptExample),
      ...failures(400, 404, 409, 413, 415, 422, ...GUARDED),
    },
  }
}

/** What is offered for releases. */
export const RELEASE_OPERATIONS: Readonly<Record<string, Readonly<Record<string, Documented>>>> = {
  '/v1/releases': { get: releases, post: start },
  '/v1/releases/{id}': { get: release },
  '/v1/releases/{id}/verdict': { get: verdict },
  '/v1/releases/{id}/pause': { post: command('pause', 'Hold the traffic where it is') },
  '/v1/releases/{id}/resume': { post: command('resume', 'Go on; the step begins anew') },
  '/v1/releases/{id}/promote': { post: command('promote', 'Send all traffic to the canary') },
  '/v1/releases/{id}/abort': { post: command('abort', 'End it, all traffic to stable') },
  '/v1/releases/{id}/rollback': { post: command('rollback', 'Roll the canary back now') },
}
