import {
  type Bytes,
  fromBase64Url,
  SEAL_NONCE_BYTES,
  type SealedFrame,
  sealedFrameAad,
  toBase64Url,
  utf8,
} from '@autowatering/relay-protocol';
import type { CryptoKey } from './curves.ts';
import { decoded, textOf } from './decoded.ts';

/** Encrypts a frame to the server. */
export async function seal(
  key: CryptoKey,
  sessionId: Bytes,
  generation: number,
  text: string,
  nonce: Bytes,
): Promise<SealedFrame> {
  const additionalData = sealedFrameAad('c2s', sessionId, generation);
  const sealed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv: nonce, additionalData }, key, utf8(text));
  return { g: generation, n: toBase64Url(nonce), c: toBase64Url(new Uint8Array(sealed)) };
}

/** Decrypts a frame of the server, or returns undefined if it is not from it. */
export async function open(key: CryptoKey, sessionId: Bytes, frame: SealedFrame): Promise<string | undefined> {
  const nonce = decoded(frame.n, SEAL_NONCE_BYTES);
  const content = fromBase64Url(frame.c);
  if (nonce === undefined || content === undefined) return undefined;
  const additionalData = sealedFrameAad('s2c', sessionId, frame.g);
  try {
    return textOf(await crypto.subtle.decrypt({ name: 'AES-GCM', iv: nonce, additionalData }, key, content));
  } catch {
    return undefined;
  }
}
