import { isoTime } from '../platform/clock.ts';
import type { Uid } from '../platform/ids.ts';
import type { Services } from '../platform/services.ts';
import { type AccountStore, createAccountStore } from './store.ts';

/** How many users one container remembers; the oldest entry makes room. */
const MOST_REMEMBERED = 10_000;

/**
 * Records the day on which a user was active, so that operators can find unused accounts. It is written at most once a
 * day, and nothing finer is stored about a person's habits.
 *
 * Never fails: the request is served whether or not the activity was recorded.
 */
export function activityNotes(
  services: Pick<Services, 'config' | 'documents' | 'randomness' | 'clock' | 'log'>,
): (uid: Uid) => Promise<void> {
  const store: Pick<AccountStore, 'writeActivity'> = createAccountStore(services);
  /** Caches what is already written, so that most requests cost nothing. */
  const noted = new Map<Uid, string>();
  return async (uid) => {
    const today = isoTime(services.clock.now()).slice(0, 10);
    if (noted.get(uid) === today) return;
    noted.delete(uid);
    noted.set(uid, today);
    const [oldest] = noted.keys();
    if (noted.size > MOST_REMEMBERED && oldest !== undefined) noted.delete(oldest);
    try {
      await store.writeActivity(uid, today);
    } catch (error) {
      noted.delete(uid);
      services.log.warn("Could not record a user's activity", { uid }, error);
    }
  };
}
