import type { ByeCode, PeerChanged, ServerFrame } from '@autowatering/relay-protocol';
import type { Uid } from '../../platform/ids.ts';
import type { Log } from '../../platform/observability/log.ts';
import type { ConnectedPeer } from '../delivery/deliver.ts';
import type { PeerId } from '../names.ts';
import type { Peer } from './peer.ts';

/** The part of delivery that peers need: informing the account's other peers, and ending a session. */
export interface PeerDelivery {
  toAccount(uid: Uid, frame: ServerFrame, options?: { readonly except?: PeerId }): Promise<unknown>;
  /** Ends the peer's session with a `bye`, and forgets that it is online. */
  bye(uid: Uid, peer: ConnectedPeer, code: ByeCode, reason: string): Promise<void>;
}

/**
 * Tells the account's peers that one of them changed. Live news are best effort: the list of peers is the truth, and
 * the change is made already.
 */
export async function announceChange(
  delivery: PeerDelivery,
  log: Pick<Log, 'warn'>,
  uid: Uid,
  { peerId, name, type }: Peer,
  change: PeerChanged['change'],
): Promise<void> {
  try {
    const frame: PeerChanged = { type: 'peer_changed', peer_id: peerId, change, name, peer_type: type };
    await delivery.toAccount(uid, frame, { except: peerId });
  } catch (error) {
    log.warn('The news of a changed peer could not be delivered', { uid, peerId, change }, error);
  }
}
