import {
  type Bytes,
  fromBase64Url,
  KEY_BYTES,
  registrationText,
  SIGNATURE_BYTES,
  toBase64Url,
} from '@autowatering/relay-protocol';
import { RelayError } from '../errors.ts';
import { type CryptoKey, isSignedBy, platformHasCurves } from './curves.ts';
import { decoded } from './decoded.ts';

/** A peer's identity. Another keystore of the platform can provide it as well: only signatures are asked for. */
export interface PeerKey {
  /** Base64url of 32 bytes. */
  readonly publicKey: string;
  /** Ed25519, 64 bytes. */
  sign(message: Bytes): Promise<Bytes>;
}

/** A key pair as the platform keeps it. It can be stored in IndexedDB as it is, even if it can't be exported. */
export interface PeerKeyPair {
  readonly publicKey: CryptoKey;
  readonly privateKey: CryptoKey;
}

/**
 * Generates a new identity.
 *
 * @param options.extractable whether `exportPeerKey` may read it; by default nobody can, scripts of the page included
 * @throws RelayError `no_curves` on platforms without Ed25519 and X25519
 */
export async function generatePeerKey({ extractable = false } = {}): Promise<PeerKeyPair> {
  if (!(await platformHasCurves())) throw new RelayError('no_curves', NO_CURVES);
  const pair = await crypto.subtle.generateKey('Ed25519', extractable, ['sign', 'verify']);
  if (!('privateKey' in pair)) throw new RelayError('no_curves', NO_CURVES);
  return pair;
}

const NO_CURVES =
  'This platform lacks Ed25519 or X25519 in WebCrypto. Needed: Chrome or Android web view 137, Safari or iOS 17, Firefox 130, Node 22, and a secure context.';

export async function peerKeyOf(pair: PeerKeyPair): Promise<PeerKey> {
  const publicKey = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey));
  return {
    publicKey: toBase64Url(publicKey),
    sign: async (message) => new Uint8Array(await crypto.subtle.sign('Ed25519', pair.privateKey, message)),
  };
}

/** PKCS#8 as base64url. @throws if the key is not extractable */
export async function exportPeerKey(pair: PeerKeyPair): Promise<{ privateKey: string; publicKey: string }> {
  const { subtle } = crypto;
  return {
    privateKey: toBase64Url(new Uint8Array(await subtle.exportKey('pkcs8', pair.privateKey))),
    publicKey: toBase64Url(new Uint8Array(await subtle.exportKey('raw', pair.publicKey))),
  };
}

/** @throws RelayError `bad_key` if it is not a key that `exportPeerKey` gave, or its halves don't belong together */
export async function importPeerKey(
  exported: { readonly privateKey: string; readonly publicKey: string },
  { extractable = false } = {},
): Promise<PeerKeyPair> {
  const { subtle } = crypto;
  const pkcs8 = fromBase64Url(exported.privateKey);
  const raw = decoded(exported.publicKey, KEY_BYTES);
  if (pkcs8 === undefined || raw === undefined) throw new RelayError('bad_key', 'This is not an exported peer key.');
  try {
    const privateKey = await subtle.importKey('pkcs8', pkcs8, 'Ed25519', extractable, ['sign']);
    const publicKey = await subtle.importKey('raw', raw, 'Ed25519', true, ['verify']);
    const signature = new Uint8Array(await subtle.sign('Ed25519', privateKey, raw));
    if (signature.length === SIGNATURE_BYTES && (await isSignedBy(raw, signature, raw))) {
      return { publicKey, privateKey };
    }
  } catch (cause) {
    throw new RelayError('bad_key', 'This is not an exported peer key.', { cause });
  }
  throw new RelayError('bad_key', 'The public key does not belong to the private key.');
}

/** Shows that the caller holds the private key; belongs to one user, and is good for five minutes. */
export async function registrationProof(key: PeerKey, uid: string, time: number): Promise<string> {
  const publicKey = decoded(key.publicKey, KEY_BYTES);
  if (publicKey === undefined) throw new RelayError('bad_key', 'A public key has 32 bytes.');
  return toBase64Url(await key.sign(registrationText(uid, publicKey, time)));
}
