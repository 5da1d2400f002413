import type { PeerType } from '@autowatering/relay-protocol';
import type { Randomness } from '../../platform/ids.ts';
import { type ConnectionId, isPeerId, type PeerId } from '../names.ts';

/** One installation of a user's, known by its key. */
export interface Peer {
  readonly peerId: PeerId;
  /** In NFC. */
  readonly name: string;
  readonly type: PeerType;
  /** Ed25519, 32 bytes in base64url. */
  readonly publicKey: string;
  readonly status: 'active' | 'revoked';
  /** Times in milliseconds since 1970. */
  readonly createdAt: number;
  readonly lastSeenAt: number | undefined;
  readonly revokedAt: number | undefined;
  /** Of the newest established session; it may have ended. */
  readonly connectionId: ConnectionId | undefined;
}

/** Unique within an account: people take “Anna” and “ANNA” for the same. */
export function nameKey(name: string): string {
  // Lower case may leave a letter decomposed (“İ”).
  return name.normalize('NFC').toLowerCase().normalize('NFC');
}

export function newPeerId(randomness: Pick<Randomness, 'id'>): PeerId {
  const id = randomness.id();
  if (!isPeerId(id)) throw new Error('an id is not a UUID');
  return id;
}
