import type { ByeCode } from '@autowatering/relay-protocol';
import type { Uid } from '../../platform/ids.ts';
import type { ConnectionId } from '../names.ts';
import type { PeerDelivery } from './announcements.ts';
import type { Peer } from './peer.ts';

/** A peer's connection as the session room knows it. */
export interface SessionRecords {
  /** Ends the session there and forgets its keys: frames that still arrive on the connection are not read. */
  close(connectionId: ConnectionId): Promise<unknown>;
}

/**
 * Ends a peer's session from outside it: first on our side, then for the peer itself, which may
 * be out of reach. Can be repeated.
 *
 * @param peer read after the change that keeps it from establishing another session
 */
export async function endSession(
  sessions: SessionRecords,
  delivery: Pick<PeerDelivery, 'bye'>,
  uid: Uid,
  { peerId, connectionId }: Pick<Peer, 'peerId' | 'connectionId'>,
  code: ByeCode,
  reason: string,
): Promise<void> {
  if (connectionId !== undefined) await sessions.close(connectionId);
  await delivery.bye(uid, peerId, code, reason);
}
