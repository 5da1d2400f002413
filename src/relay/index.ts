import type { PeerVerdict } from '../http/checks/authenticate.ts';
import type { Uid } from '../platform/ids.ts';
import { once } from '../platform/once.ts';
import type { Services } from '../platform/services.ts';
import type { RelayRecords } from './account-export.ts';
import { createPeerStore } from './peers/peer-store.ts';
import { createAccessTokens } from './tokens/access-token.ts';

export type { RelayRecords };

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
