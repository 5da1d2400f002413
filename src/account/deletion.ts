import type { UserClaims } from '../platform/aws/cognito/cognito-tokens.ts';
import type { Uid } from '../platform/ids.ts';
import type { Services } from '../platform/services.ts';
import type { AccountStore } from './store.ts';
import { stateObjectPrefix } from './user-state.ts';

/** A deletion is final, so the user must have signed in with credentials this recently (contract). */
const RECENT_LOGIN_SECONDS = 10 * 60;
/** Allowed clock skew between Cognito and Lambda. */
const SKEW_SECONDS = 60;

/** Checks whether the sign-in is recent enough; a token without a sign-in time counts as old. */
export function isRecentLogin(authTime: number | undefined, now: number): boolean {
  if (authTime === undefined) return false;
  const ageSeconds = now / 1000 - authTime;
  return ageSeconds >= -SKEW_SECONDS && ageSeconds <= RECENT_LOGIN_SECONDS;
}

export interface DeletionSteps {
  /** Revokes the user's peers and removes all that they shared. */
  removeRelay(uid: Uid): Promise<void>;
  /** Removes what the user's devices told and were told, and what the user was told. */
  removeGarden(uid: Uid): Promise<void>;
  /** Releases all of the user's devices, so that the next owner can claim them. */
  releaseDevices(uid: Uid): Promise<void>;
  /** Cancels the user's subscription and anonymises what remains. */
  endBilling(uid: Uid): Promise<void>;
}

/**
 * Deletes an account in an order that can be repeated after a failure at any step. The tombstone comes first, so that
 * the user's other calls create nothing more. The login comes last, so that a user whose deletion failed half-way can
 * still sign in and retry (contract, trap 8: a failed step is never skipped).
 */
export async function deleteAccount(
  store: AccountStore,
  services: Pick<Services, 'objectStore' | 'userDirectory' | 'clock'>,
  steps: DeletionSteps,
  user: Pick<UserClaims, 'uid' | 'username'>,
): Promise<void> {
  const { uid, username } = user;
  if ((await store.readDeletion(uid, services.clock.now())) === 'done') return;
  await store.writeDeletion(uid, 'pending', services.clock.now());
  // What the user's phones and hubs still send would be stored until this is done.
  await steps.removeRelay(uid);
  await steps.endBilling(uid);
  await steps.removeGarden(uid);
  await steps.releaseDevices(uid);
  await services.objectStore.removeAll(stateObjectPrefix(uid));
  await store.removeAllRecords(uid);
  await services.userDirectory.remove(username);
  await store.writeDeletion(uid, 'done', services.clock.now());
}
