import { PEER_TYPES } from '@autowatering/relay-protocol';
import * as z from 'zod';
import { isUid, type Uid } from '../../platform/ids.ts';
import { isConnectionId, isPeerId, type PeerId } from '../names.ts';
import type { Peer } from './peer.ts';

export const SCHEMA = 1;

const StoredPeer = z.object({
  peer_id: z.string().refine(isPeerId),
  name: z.string(),
  peer_type: z.enum(PEER_TYPES),
  public_key: z.string(),
  status: z.enum(['active', 'revoked']),
  created_at: z.number(),
  last_seen_at: z.number().optional(),
  revoked_at: z.number().optional(),
  connection_id: z.string().refine(isConnectionId).optional(),
});

/** What the indexes by peer id and by public key say. */
const StoredOwner = z.object({ uid: z.string().refine(isUid), peer_id: z.string().refine(isPeerId) });

export function toPeer(item: unknown): Peer {
  const stored = StoredPeer.parse(item);
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
  const { uid, peer_id: peerId } = StoredOwner.parse(item);
  return { uid, peerId };
}
