import type { TransactItems } from '../platform/aws/dynamo.ts';
import type { Uid } from '../platform/ids.ts';
import { once } from '../platform/once.ts';
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

/** What the profile says about messages to the user. */
export function profileWishes(
  services: Pick<Services, 'config' | 'documents' | 'randomness'>,
): (uid: Uid) => Promise<{ readonly language: string | undefined; readonly isMuted: boolean }> {
  const store = once(async () => (await import('./store.ts')).createAccountStore(services));
  return async (uid) => {
    const { language, notificationsEnabled } = (await (await store()).readProfile(uid)) ?? {};
    return { language, isMuted: notificationsEnabled === false };
  };
}
