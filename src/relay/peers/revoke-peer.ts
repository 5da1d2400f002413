import type { Uid } from '../../platform/ids.ts';
import type { Log } from '../../platform/observability/log.ts';
import type { PeerId } from '../names.ts';
import type { TokenStore } from '../tokens/token-store.ts';
import { announceChange, type PeerDelivery } from './announcements.ts';
import type { Peer } from './peer.ts';
import type { PeerStore } from './peer-store.ts';

export interface RevokingParts {
  readonly peers: PeerStore;
  readonly tokens: TokenStore;
  readonly delivery: PeerDelivery;
}

/**
 * Revokes a peer for good and ends its session. Repeating it finishes what a failure left: the revocation itself comes
 * first, and from then on nothing of the peer is accepted.
 *
 * @returns undefined when the account has no such peer
 */
export async function revokePeer(
  { peers, tokens, delivery }: RevokingParts,
  log: Pick<Log, 'warn'>,
  uid: Uid,
  peerId: PeerId,
  now: number,
): Promise<Peer | undefined> {
  const revocation = await peers.revoke(uid, peerId, now);
  if (revocation.outcome === 'not_found') return undefined;
  // A revoked peer establishes no session any more, so this is its last connection.
  const last = (await peers.read(uid, peerId)) ?? revocation.peer;
  await delivery.bye(uid, last, 'revoked', 'This peer was revoked.');
  await tokens.removeFamilies(uid, peerId);
  if (revocation.isChanged) await announceChange(delivery, log, uid, revocation.peer, 'revoked');
  return revocation.peer;
}
