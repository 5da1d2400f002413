import pMap from 'p-map';
import type { Clock } from '../platform/clock.ts';
import type { Uid } from '../platform/ids.ts';
import type { RelayParts } from './parts.ts';

const PEERS_AT_ONCE = 5;

/**
 * Removes everything of an account that is being deleted, of which no new peer can be registered any more. Its peers are
 * revoked first, so that nothing is published from then on, and get a `bye`. Can be repeated after a failure at any step.
 */
export async function removeRelayAccount(
  { peers, accountConnections, delivery, streams, items }: RelayParts,
  clock: Clock,
  uid: Uid,
): Promise<void> {
  const all = await peers.list(uid);
  await pMap(all, ({ peerId }) => peers.revoke(uid, peerId, clock.now()), { concurrency: PEERS_AT_ONCE });
  // A revoked peer establishes no session any more, so these are its last connections.
  const revoked = await peers.list(uid);
  await pMap(revoked, (peer) => delivery.bye(uid, peer, 'account_deleted', 'The account was deleted.'), {
    concurrency: PEERS_AT_ONCE,
  });
  // No connection is accepted any more either.
  await accountConnections.removeAll(uid);
  await streams.removeLogsOf(uid);
  for (const peer of revoked) await items.removeIndex(uid, peer);
  await items.removeAll(uid);
}
