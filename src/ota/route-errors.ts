import type { ReleaseVersion } from '@autowatering/release-format';
import { ApiError } from '../http/errors.ts';
import type { ReleaseState } from './registry/release.ts';

/** A registry outage must never look like "no update" (contract, trap 7). */
export async function orUnavailable<T>(read: Promise<T>): Promise<T> {
  try {
    return await read;
  } catch (error) {
    throw new ApiError('registry_unavailable', 'We can’t look for updates right now. Please try again in a moment.', {
      headers: { 'Retry-After': '10' },
      cause: error,
    });
  }
}

export function releaseNotFound(version: ReleaseVersion): ApiError {
  return new ApiError('release_not_found', `There is no release ${version} for this board and channel.`);
}

export function releaseStateConflict(
  version: ReleaseVersion,
  state: ReleaseState,
  from: readonly ReleaseState[],
): ApiError {
  return new ApiError(
    'release_state_conflict',
    `Release ${version} is ${state}; this is possible only while it is ${from.join(' or ')}.`,
    { details: { state, allowed_from: from } },
  );
}
