import type { ControlCommand } from '../contract/control-command.ts'
import { formatProblem, type Policies, parseReleaseFile } from '../contract/release-file.ts'
import { HaldaneError } from '../domain/errors.ts'
import type { ReleaseSpec } from '../domain/release.ts'
import type { BusRecord, ReleaseRecord } from '../ports.ts'
import { releaseIdOf } from './identity.ts'

/** The release file of a start command; throws `invalid_input` with every problem, one a line. */
export function readSpec(command: ControlCommand, policies: Policies): ReleaseSpec {
  const fileName = command.fileName ?? 'release.yaml'
  const parsed = parseReleaseFile(command.source ?? '', {
    fileName,
    readPolicy: (path) => policies.read(path),
    defaultPolicy: policies.defaultPath,
  })
  if ('spec' in parsed) return parsed.spec
  throw new HaldaneError('invalid_input', parsed.problems.map(formatProblem).join('\n'), {
    remedy: 'correct the release file and start it again; nothing was started',
  })
}

/**
 * A release as it is recorded. Everything in it comes from the command and its record, so a command
 * that is delivered twice makes the same release.
 */
export function toRelease(
  command: ControlCommand,
  record: BusRecord,
  spec: ReleaseSpec,
  earlier: readonly ReleaseRecord[],
): ReleaseRecord {
  const tries = earlier.filter((release) => release.spec.canary === spec.canary).length
  return {
    releaseId: releaseIdOf(spec, tries + 1),
    spec,
    source: command.source ?? '',
    startedAtMs: command.startAtMs ?? record.timestampMs,
    startedBy: command.by,
    controlPartition: record.partition,
    commandId: command.commandId,
  }
}

export function activeReleaseConflict(active: ReleaseRecord): HaldaneError {
  return new HaldaneError(
    'conflict',
    `${active.releaseId} is still active on ${active.spec.route}`,
    {
      remedy:
        'wait for its last decision, or end it with haldane release abort or rollback; limits, weights and ' +
        'cohorts of a running release do not change: abort it and start the changed file, whose evidence ' +
        'and error budget begin anew',
    },
  )
}

export function impossibleCommand(releaseId: string, kind: string): HaldaneError {
  return new HaldaneError('conflict', `${kind} does not fit the present phase of ${releaseId}`, {
    remedy: `haldane release status ${releaseId} shows it`,
  })
}
