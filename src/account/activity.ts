import { isoTime } from '../platform/clock.ts';
import type { Uid } from '../platform/ids.ts';
import type { Services } from '../platform/services.ts';
import { type AccountStore, createAccountStore } from './store.ts';

/** Users whose day is remembered in one container; the one that came first makes room. */
const MOST_REMEMBERED = 10_000;

/**
 * Notes that a user was here today, so that an operator can tell accounts that nobody uses. The day is enough: it is
 * written once a day at most, and nothing finer is known of a person's habits than that.
 *
 * Never fails: whoever asks for something gets it, noted or not.
 */
export function activityNotes(
  services: Pick<Services, 'config' | 'documents' | 'randomness' | 'clock' | 'log'>,
): (uid: Uid) => Promise<void> {
  const store: Pick<AccountStore, 'writeActivity'> = createAccountStore(services);
  /** A cache of what is written already: by this, most requests cost nothing. */
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
      services.log.warn("A user's activity could not be noted", { uid }, error);
    }
  };
}
