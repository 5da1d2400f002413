import { createHash } from 'node:crypto';
import type { Randomness } from '../../platform/ids.ts';
import { isPeerId, type PeerId } from '../names.ts';

/** What a refresh token says: which family it belongs to, and a secret that only its newest member has. */
export interface RefreshToken {
  readonly peerId: PeerId;
  /** 16 bytes in base64url. */
  readonly family: string;
  /** 32 bytes in base64url. */
  readonly secret: string;
}

const PREFIX = 'rt_';
const PEER_BYTES = 16;
const FAMILY_BYTES = 16;
const SECRET_BYTES = 32;

export function newFamily(randomness: Pick<Randomness, 'bytes'>): string {
  return randomness.bytes(FAMILY_BYTES).toString('base64url');
}

/** The next token of a family. */
export function newRefreshToken(peerId: PeerId, family: string, randomness: Pick<Randomness, 'bytes'>): RefreshToken {
  return { peerId, family, secret: randomness.bytes(SECRET_BYTES).toString('base64url') };
}

export function formatRefreshToken({ peerId, family, secret }: RefreshToken): string {
  const bytes = Buffer.concat([
    Buffer.from(peerId.replaceAll('-', ''), 'hex'),
    Buffer.from(family, 'base64url'),
    Buffer.from(secret, 'base64url'),
  ]);
  return `${PREFIX}${bytes.toString('base64url')}`;
}

/** Undefined for text that is no refresh token. */
export function parseRefreshToken(text: string): RefreshToken | undefined {
  const bytes = text.startsWith(PREFIX) ? Buffer.from(text.slice(PREFIX.length), 'base64url') : Buffer.alloc(0);
  if (bytes.byteLength !== PEER_BYTES + FAMILY_BYTES + SECRET_BYTES) return undefined;
  const peerId = bytes
    .subarray(0, PEER_BYTES)
    .toString('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  if (!isPeerId(peerId)) return undefined;
  return {
    peerId,
    family: bytes.subarray(PEER_BYTES, PEER_BYTES + FAMILY_BYTES).toString('base64url'),
    secret: bytes.subarray(PEER_BYTES + FAMILY_BYTES).toString('base64url'),
  };
}

/** What is stored of a token: a reader of the table can't refresh with it. */
export function refreshTokenHash({ secret }: RefreshToken): string {
  return createHash('sha256').update(secret).digest('base64url');
}
