import { createCipheriv, createDecipheriv } from 'node:crypto';
import {
  type Direction,
  fromBase64Url,
  SEAL_NONCE_BYTES,
  type SealedFrame,
  sealedFrameAad,
  toBase64Url,
} from '@autowatering/relay-protocol';

const CIPHER = 'aes-256-gcm';
const TAG_BYTES = 16;

/**
 * Encrypts a frame's text.
 *
 * @param sessionId 16 bytes
 * @param nonce 12 random bytes, never used before with this key
 */
export function seal(
  key: Buffer,
  direction: Direction,
  sessionId: Uint8Array,
  generation: number,
  text: string,
  nonce: Uint8Array,
): SealedFrame {
  const cipher = createCipheriv(CIPHER, key, nonce);
  cipher.setAAD(sealedFrameAad(direction, sessionId, generation));
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return { g: generation, n: toBase64Url(nonce), c: sealed.toString('base64url') };
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Decrypts a frame. Undefined if it was not sealed with this key, for this session and direction, or is no UTF-8. */
export function open(
  key: Buffer,
  direction: Direction,
  sessionId: Uint8Array,
  { g, n, c }: SealedFrame,
): string | undefined {
  const [nonce, sealed] = [fromBase64Url(n), fromBase64Url(c)];
  if (nonce?.byteLength !== SEAL_NONCE_BYTES || sealed === undefined || sealed.byteLength < TAG_BYTES) return undefined;
  const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(sealedFrameAad(direction, sessionId, g));
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  try {
    return UTF8.decode(Buffer.concat([decipher.update(sealed.subarray(0, -TAG_BYTES)), decipher.final()]));
  } catch {
    return undefined;
  }
}
