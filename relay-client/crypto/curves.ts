import { type Bytes, isLowOrderKey, KEY_BYTES } from '@autowatering/relay-protocol';
import { RelayError } from '../errors.ts';

/** The type of the platform's keys, in browsers as in Node. */
export type CryptoKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

export interface EphemeralKey {
  readonly publicKey: Bytes;
  readonly privateKey: CryptoKey;
}

/**
 * Whether this platform has Ed25519 and X25519. Chrome, Edge and Android's web view have them since 137, Safari and iOS
 * since 17, Firefox since 130, Node since 20.
 */
export async function platformHasCurves(): Promise<boolean> {
  try {
    const { subtle } = crypto;
    await subtle.generateKey('Ed25519', false, ['sign', 'verify']);
    await subtle.generateKey('X25519', false, ['deriveBits']);
    return true;
  } catch {
    return false;
  }
}

export async function newEphemeralKey(): Promise<EphemeralKey> {
  const pair = await crypto.subtle.generateKey('X25519', false, ['deriveBits']);
  if (!('privateKey' in pair)) throw new RelayError('no_curves', 'X25519 gave no key pair');
  const publicKey = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey));
  return { publicKey, privateKey: pair.privateKey };
}

/**
 * The secret that two X25519 keys agree on.
 *
 * @throws RelayError `bad_key` if the other key is of low order, so that the secret would be known to everybody
 */
export async function agreedSecret(own: EphemeralKey, other: Bytes): Promise<Bytes> {
  const { subtle } = crypto;
  const refused = "The server's ephemeral key was refused.";
  if (isLowOrderKey(other)) throw new RelayError('bad_key', refused);
  let secret: Bytes;
  try {
    const publicKey = await subtle.importKey('raw', other, 'X25519', false, []);
    secret = new Uint8Array(
      await subtle.deriveBits({ name: 'X25519', public: publicKey }, own.privateKey, KEY_BYTES * 8),
    );
  } catch (cause) {
    throw new RelayError('bad_key', refused, { cause });
  }
  // Platforms should refuse by themselves; not all did from the start.
  if (secret.every((byte) => byte === 0)) throw new RelayError('bad_key', refused);
  return secret;
}

export async function isSignedBy(publicKey: Bytes, signature: Bytes, message: Bytes): Promise<boolean> {
  const { subtle } = crypto;
  const key = await subtle.importKey('raw', publicKey, 'Ed25519', false, ['verify']);
  return subtle.verify('Ed25519', key, signature, message);
}

export const sha256 = async (bytes: Bytes): Promise<Bytes> =>
  new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
