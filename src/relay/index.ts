import type { PeerVerdict } from '../http/checks/authenticate.ts';
import type { Uid } from '../platform/ids.ts';
import { once } from '../platform/once.ts';
import type { Services } from '../platform/services.ts';
import type { RelayRecords } from './account-export.ts';
import type { Announcement } from './announce.ts';
import { createPeerStore } from './peers/peer-store.ts';
import { createAccessTokens } from './tokens/access-token.ts';

export type { Announcement, RelayRecords };

/** For the guard: whose token it is. Read afresh each time, so that a revoked peer is out with its next request. */
export function peerOf(services: Services): (token: string) => Promise<PeerVerdict | undefined> {
  const accessTokens = createAccessTokens(services);
  const peers = createPeerStore(services);
  return async (token) => {
    const verdict = await accessTokens.verify(token);
    if (!verdict.valid) return undefined;
    const { uid, peerId } = verdict;
    return { uid, peerId, isActive: (await peers.read(uid, peerId))?.status === 'active' };
  };
}

/** What an account's deletion and export do about the relay. */
export interface RelayAccounts {
  /** Removes everything of an account that is being deleted, its peers first. Can be repeated after any failure. */
  remove(uid: Uid): Promise<void>;
  /** Everything that the relay holds about the user, events up to about 2 MB. */
  read(uid: Uid): Promise<RelayRecords>;
}

/** Loaded on first use: most requests of an account need nothing of the relay. */
export function relayAccounts(services: Services): RelayAccounts {
  const loaded = once(async () => {
    const [{ createRelayParts }, deletion, reading] = await Promise.all([
      import('./parts.ts'),
      import('./account-deletion.ts'),
      import('./account-export.ts'),
    ]);
    const parts = createRelayParts(services);
    return {
      remove: (uid: Uid) => deletion.removeRelayAccount(parts, services.clock, uid),
      read: (uid: Uid) => reading.exportRelayAccount(parts, uid),
    };
  });
  return {
    remove: async (uid) => (await loaded()).remove(uid),
    read: async (uid) => (await loaded()).read(uid),
  };
}

/**
 * Tells an account's peers something in the service's name. Never fails: what is told is also kept where it happened.
 *
 * @returns false when it should be told again: nobody knows whether it was stored
 */
export type Announce = (uid: Uid, stream: string, announcement: Announcement) => Promise<boolean>;

/** Loaded on first use. */
export function relayAnnouncements(services: Services): Announce {
  const loaded = once(async () => {
    const [{ createRelayParts }, { announceEvent }] = await Promise.all([
      import('./parts.ts'),
      import('./announce.ts'),
    ]);
    const parts = createRelayParts(services);
    return (uid: Uid, stream: string, announcement: Announcement) =>
      announceEvent(parts, services, uid, stream, announcement);
  });
  return async (uid, stream, announcement) => {
    try {
      const isTold = await (await loaded())(uid, stream, announcement);
      services.metrics.count('RelayAnnouncements', { outcome: isTold ? 'told' : 'nobody' });
      return true;
    } catch (error) {
      services.metrics.count('RelayAnnouncements', { outcome: 'failed' });
      services.log.warn('An announcement could not be published', { stream, type: announcement.type }, error);
      return false;
    }
  };
}
