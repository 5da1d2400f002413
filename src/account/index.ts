import type { TransactItems } from '../platform/aws/dynamo.ts';
import type { Uid } from '../platform/ids.ts';
import type { Services } from '../platform/services.ts';
import { createAccountStore } from './store.ts';
import { aliveCheck } from './tombstone.ts';

export { activityNotes } from './activity.ts';

/** Whether the user's account is deleted or about to be, so that no other route may serve them (410). */
export function accountDeletionCheck(services: Services): (uid: Uid) => Promise<boolean> {
  const store = createAccountStore(services);
  return async (uid) => (await store.readDeletion(uid, services.clock.now())) !== 'none';
}

/** An action for another domain's transaction: it commits only while the user's account is not being deleted. */
export function accountAliveCheck(services: Pick<Services, 'config'>): (uid: Uid) => TransactItems[number] {
  return (uid) => aliveCheck(services.config, uid);
}
