import type { User } from '../http/caller.ts';
import type { DirectoryUser } from '../platform/aws/user-directory.ts';
import type { Log } from '../platform/observability/log.ts';
import { withTimeLimit } from '../platform/resilience/time-limit.ts';
import type { Services } from '../platform/services.ts';

const DIRECTORY_MS = 2_000;

/** Returns the user pool's entry, or the token's claims when the pool does not answer in time. */
export async function directoryEntryOf(
  { userDirectory, metrics }: Pick<Services, 'userDirectory' | 'metrics'>,
  user: User,
  log: Log,
): Promise<DirectoryUser> {
  try {
    const entry = await withTimeLimit(DIRECTORY_MS, (signal) => userDirectory.find(user.username, signal));
    if (entry !== undefined) return entry;
  } catch (error) {
    metrics.count('UserDirectoryUnavailable');
    log.warn('The user pool did not answer; using the claims of the token', {}, error);
  }
  const { email = null, emailVerified = false } = user;
  return { email, emailVerified, name: null, picture: null, createdAt: null };
}
