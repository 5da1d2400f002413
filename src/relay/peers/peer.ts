import { PEER_TYPES, type PeerType } from '@autowatering/relay-protocol';
import * as z from 'zod';
import { textLine } from '../../http/fields.ts';
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

const LONGEST_NAME = 40;

/** A name as people see it: 1 to 40 characters in NFC, without white space around it. */
export const PeerName = textLine(4 * LONGEST_NAME)
  .transform((text) => text.normalize('NFC').trim())
  .refine((text) => text !== '' && [...text].length <= LONGEST_NAME, `1 to ${LONGEST_NAME} characters`);

export const PeerTypeField = z.enum(PEER_TYPES);

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
