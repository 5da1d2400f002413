import pMap from 'p-map';
import type { Serial, Uid } from '../../platform/ids.ts';
import type { Services } from '../../platform/services.ts';
import { createOwnerLists } from './owner-lists.ts';

const AT_ONCE = 10;

/**
 * Returns what a user calls these devices, of those that are theirs and have a name. Half a read unit each; a name that
 * was given a moment ago may be missing.
 */
export function deviceNames(
  services: Pick<Services, 'config' | 'documents'>,
): (uid: Uid, serials: ReadonlySet<Serial>) => Promise<ReadonlyMap<Serial, string>> {
  const lists = createOwnerLists(services);
  return async (uid, serials) => {
    const named = await pMap(
      serials,
      async (serial) => [serial, (await lists.readOwned(uid, serial, { mayBeStale: true }))?.name] as const,
      { concurrency: AT_ONCE },
    );
    return new Map(named.flatMap(([serial, name]) => (name === undefined ? [] : [[serial, name] as const])));
  };
}
