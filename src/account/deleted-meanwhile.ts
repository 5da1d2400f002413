import { ApiError } from '../http/errors.ts';
import type { Uid } from '../platform/ids.ts';
import type { AccountStore } from './store.ts';

/**
 * Undoes a write that raced the account's deletion, so that nothing is left behind.
 *
 * @throws ApiError `account_deleted` once it is undone
 */
export async function takeBackIfDeleted(
  store: Pick<AccountStore, 'readDeletion'>,
  uid: Uid,
  now: number,
  takeBack: () => Promise<void>,
): Promise<void> {
  if ((await store.readDeletion(uid, now)) === 'none') return;
  await takeBack();
  throw new ApiError('account_deleted', 'This account has been deleted.');
}
