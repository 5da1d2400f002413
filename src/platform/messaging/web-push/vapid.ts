import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';

/** A key by which push services know this server (RFC 8292). */
export interface VapidKey {
  /** Base64url of the uncompressed point: what a browser subscribes with. */
  readonly publicKey: string;
  readonly privateKey: KeyObject;
}

const HALF_DAY_SECONDS = 12 * 60 * 60;

/**
 * Reads a private key.
 *
 * @param text base64 of PKCS#8
 * @throws if it is no key of P-256
 */
export function readVapidKey(text: string): VapidKey {
  const privateKey = createPrivateKey({ key: Buffer.from(text, 'base64'), format: 'der', type: 'pkcs8' });
  const { crv, x, y } = createPublicKey(privateKey).export({ format: 'jwk' });
  if (crv !== 'P-256' || x === undefined || y === undefined) throw new Error('A VAPID key is a key of P-256');
  const point = Buffer.concat([Buffer.of(4), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]);
  return { publicKey: point.toString('base64url'), privateKey };
}

/**
 * Returns the `Authorization` header for one push service: a token for its origin, valid for half a day.
 *
 * @param contact `mailto:` or `https:` address for the push service's operators
 */
export function vapidAuthorization(
  { publicKey, privateKey }: VapidKey,
  { origin, contact, now }: { readonly origin: string; readonly contact: string; readonly now: number },
): string {
  const claims = { aud: origin, exp: Math.floor(now / 1000) + HALF_DAY_SECONDS, sub: contact };
  const signed = [{ typ: 'JWT', alg: 'ES256' }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  const signature = sign('sha256', Buffer.from(signed), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return `vapid t=${signed}.${signature.toString('base64url')}, k=${publicKey}`;
}
