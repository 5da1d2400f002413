import pMap from 'p-map';
import type { Uid } from '../../platform/ids.ts';
import { createApart } from '../../platform/jobs/apart.ts';
import type { Job } from '../../platform/jobs/job.ts';
import type { Services } from '../../platform/services.ts';
import type { NotificationKey } from '../table-keys.ts';
import type { Due } from './due.ts';
import type { DueStore } from './due-store.ts';

type Deliver = (uid: Uid, dues: readonly Due[]) => Promise<number>;

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** What could not be sent for a day is not sent any more; retries and quiet hours together hold nothing back for longer. */
const HOURS_BACK = 26;
const ACCOUNTS_AT_ONCE = 10;

/**
 * Sends what has fallen due: what was held back for the morning or the digest, and what nobody has sent yet. An account whose
 * messages can't be sent does not hold up the others.
 */
export function deliverJob(services: Pick<Services, 'log'>, store: Pick<DueStore, 'dueIn'>, deliver: Deliver): Job {
  return {
    name: 'deliver-notifications',
    when: { everyMs: 5 * MINUTE_MS },
    async run(now, signal) {
      const apart = createApart(services, "An account's messages could not be sent");
      let [accounts, sent] = [0, 0];
      for (let hours = HOURS_BACK; hours >= 0; hours -= 1) {
        await pMap(
          store.dueIn(now - hours * HOUR_MS, now),
          async (dues) => {
            const [first] = dues;
            // The claims of a run that has to end would only delay the next one.
            if (first === undefined || signal.aborted) return;
            accounts += 1;
            const count = await apart.attempt({ uid: first.uid }, () => deliver(first.uid, dues));
            sent += count ?? 0;
          },
          { concurrency: ACCOUNTS_AT_ONCE },
        );
      }
      apart.end();
      return { accounts, sent };
    },
  };
}

/** Sends certain deliveries at once: those that have just become due. */
export function createDeliverNow(store: Pick<DueStore, 'read'>, deliver: Deliver) {
  return async (keys: readonly NotificationKey[]): Promise<number> => {
    const found = await pMap(keys, (key) => store.read(key), { concurrency: ACCOUNTS_AT_ONCE });
    const byAccount = new Map<Uid, Due[]>();
    for (const due of found) {
      if (due === undefined) continue;
      const others = byAccount.get(due.uid);
      if (others === undefined) byAccount.set(due.uid, [due]);
      else others.push(due);
    }
    const counts = await pMap([...byAccount], ([uid, dues]) => deliver(uid, dues), { concurrency: ACCOUNTS_AT_ONCE });
    return counts.reduce((sum, count) => sum + count, 0);
  };
}
