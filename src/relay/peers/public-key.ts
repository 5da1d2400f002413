import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { fromBase64Url, KEY_BYTES, registrationText, SIGNATURE_BYTES } from '@autowatering/relay-protocol';
import * as z from 'zod';
import type { Uid } from '../../platform/ids.ts';

/** Bytes of a fixed length as base64url without padding, in their only spelling. */
function bytesField(length: number) {
  return z
    .string()
    .max(Math.ceil((length * 4) / 3))
    .refine((text) => fromBase64Url(text)?.byteLength === length, `${length} bytes as base64url without padding`);
}

/**
 * An Ed25519 public key. Points of small order are refused: for them, signatures can be made that are good without a
 * private key. So are coordinates that are not reduced, since they would be a second spelling of another key.
 */
export const PublicKeyField = bytesField(KEY_BYTES).refine(
  (text) => isOrdinaryPoint(Buffer.from(text, 'base64url')),
  'this key is not good for signatures',
);

export const ProofField = bytesField(SIGNATURE_BYTES);

const FIELD_PRIME = 2n ** 255n - 19n;
/** The y coordinates of Ed25519's eight points of small order; the top bit is the sign of x. */
const SMALL_ORDER_Y: ReadonlySet<bigint> = new Set([
  0n,
  1n,
  FIELD_PRIME - 1n,
  2707385501144840649318225287225658788936804267575313519463743609750303402022n,
  55188659117513257062467267217118295137698188065244968500265048394206261417927n,
]);

function isOrdinaryPoint(key: Buffer): boolean {
  const littleEndian = Buffer.from(key).reverse();
  littleEndian[0] = (littleEndian[0] ?? 0) & 0x7f;
  const y = BigInt(`0x${littleEndian.toString('hex')}`);
  return y < FIELD_PRIME && !SMALL_ORDER_Y.has(y);
}

/** @param publicKey 32 bytes in base64url */
export function ed25519PublicKey(publicKey: string): KeyObject {
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: publicKey }, format: 'jwk' });
}

/** Whether the proof was made with the private key. */
export function isProven(uid: Uid, publicKey: string, time: number, proof: string): boolean {
  const text = registrationText(uid, Buffer.from(publicKey, 'base64url'), time);
  return verify(null, text, ed25519PublicKey(publicKey), Buffer.from(proof, 'base64url'));
}
