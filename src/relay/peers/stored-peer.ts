import { PEER_TYPES } from '@autowatering/relay-protocol';
import { isUid, type Uid } from '../../platform/ids.ts';
import { fields, number, oneOf, optional, text, textThat } from '../../platform/shapes.ts';
import { isConnectionId, isPeerId, type PeerId } from '../names.ts';
import type { Peer } from './peer.ts';

export const SCHEMA = 1;

const peerId = textThat(isPeerId, 'the id of a peer');
const storedPeer = fields({
  peer_id: peerId,
  name: text,
  peer_type: oneOf(PEER_TYPES),
  public_key: text,
  status: oneOf(['active', 'revoked']),
  created_at: number,
  last_seen_at: optional(number),
  revoked_at: optional(number),
  connection_id: optional(textThat(isConnectionId, 'the id of a connection')),
});

/** What the indexes by peer id and by public key say. */
const storedOwner = fields({ uid: textThat(isUid, 'the id of a user'), peer_id: peerId });

export function toPeer(item: unknown): Peer {
  const stored = storedPeer(item);
  return {
    peerId: stored.peer_id,
    name: stored.name,
    type: stored.peer_type,
    publicKey: stored.public_key,
    status: stored.status,
    createdAt: stored.created_at,
    lastSeenAt: stored.last_seen_at,
    revokedAt: stored.revoked_at,
    connectionId: stored.connection_id,
  };
}

export function fromPeer(peer: Peer): Record<string, unknown> {
  return {
    peer_id: peer.peerId,
    name: peer.name,
    peer_type: peer.type,
    public_key: peer.publicKey,
    status: peer.status,
    created_at: peer.createdAt,
    schema: SCHEMA,
  };
}

export function toOwner(item: unknown): { readonly uid: Uid; readonly peerId: PeerId } {
  const { uid, peer_id } = storedOwner(item);
  return { uid, peerId: peer_id };
}
