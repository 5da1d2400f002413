import type { TransactItems } from '../platform/aws/dynamo.ts';
import type { Uid } from '../platform/ids.ts';
import type { Services } from '../platform/services.ts';
import { aliveCheck, readDeletion } from './tombstone.ts';

export { activityNotes } from './activity.ts';

/** Checks whether the account is deleted or being deleted, in which case other routes must answer 410. */
export function accountDeletionCheck(services: Services): (uid: Uid) => Promise<boolean> {
  return async (uid) => (await readDeletion(services, uid, services.clock.now())) !== 'none';
}

/** Returns an action that lets another domain's transaction commit only while the account is not being deleted. */
export function accountAliveCheck(services: Pick<Services, 'config'>): (uid: Uid) => TransactItems[number] {
  return (uid) => aliveCheck(services.config, uid);
}
