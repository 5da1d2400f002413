import { createHash, createPublicKey, type KeyObject, timingSafeEqual, verify } from 'node:crypto';
import { type ImageFault, type ParsedImage, TLV } from './image.ts';

/** A key that the bootloader was built with. */
export interface TrustedKey {
  readonly key: KeyObject;
  /** SHA-256 of the SubjectPublicKeyInfo (facts sheet, E4): how an image names the key it was signed with. */
  readonly hash: Uint8Array;
}

/** @param pem an ECDSA P-256 or Ed25519 public key */
export function trustedKey(pem: string): TrustedKey {
  const key = createPublicKey(pem);
  const isP256 = key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1';
  if (!isP256 && key.asymmetricKeyType !== 'ed25519')
    throw new Error('only ECDSA P-256 and Ed25519 keys are supported');
  const spki = key.export({ type: 'spki', format: 'der' });
  return { key, hash: createHash('sha256').update(spki).digest() };
}

/** What may stand in the unprotected area; anything else makes an image invalid (facts sheet, E2). */
const ALLOWED_UNPROTECTED: ReadonlySet<number> = new Set([
  0x01, 0x02, 0x10, 0x11, 0x12, 0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x30, 0x31, 0x32, 0x33, 0x34,
]);

/**
 * Validates an image as MCUboot does before it boots or swaps one (facts sheet, E5): the hash over everything it
 * covers, and a signature by a key the bootloader knows. Undefined means valid.
 */
export function imageFault(
  image: ParsedImage,
  keys: readonly TrustedKey[],
  largestBytes: number,
): ImageFault | undefined {
  if (image.sizeBytes > largestBytes) return 'too_large';
  if (image.tlvs.some(({ type }) => !ALLOWED_UNPROTECTED.has(type))) return 'tlv_not_allowed';
  const digest = createHash('sha256').update(image.hashedRegion).digest();
  const hashes = image.tlvs.filter(({ type }) => type === TLV.sha256);
  if (hashes.length === 0) return 'no_hash';
  if (!hashes.every(({ value }) => same(value, digest))) return 'hash_mismatch';
  return signatureFault(image, keys, digest);
}

/** Signatures follow the hash of their key; one of an unknown key is passed over, one good one is enough. */
function signatureFault(image: ParsedImage, keys: readonly TrustedKey[], digest: Uint8Array): ImageFault | undefined {
  let named: TrustedKey | undefined;
  let fault: ImageFault = 'no_signature';
  for (const { type, value } of image.tlvs) {
    if (type === TLV.keyHash) {
      named = keys.find(({ hash }) => same(hash, value));
      if (named === undefined && fault === 'no_signature') fault = 'unknown_key';
    } else if (named !== undefined && isSignatureFor(type, named.key)) {
      if (isSignedBy(named.key, image.hashedRegion, digest, value)) return undefined;
      fault = 'bad_signature';
    }
  }
  return fault;
}

function isSignatureFor(type: number, key: KeyObject): boolean {
  return type === (key.asymmetricKeyType === 'ed25519' ? TLV.ed25519 : TLV.ecdsa);
}

/** ECDSA signs the digest of the region; Ed25519 takes that digest as its message (facts sheet, E3). */
function isSignedBy(key: KeyObject, region: Uint8Array, digest: Uint8Array, signature: Uint8Array): boolean {
  if (key.asymmetricKeyType === 'ed25519') return verify(null, digest, key, signature);
  return verify('sha256', region, { key, dsaEncoding: 'der' }, signature);
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && timingSafeEqual(a, b);
}
