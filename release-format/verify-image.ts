import { constants, createHash, createPublicKey, type KeyObject, timingSafeEqual, verify } from 'node:crypto';
import { type ImageFault, type ParsedImage, TLV } from './mcuboot-image.ts';

/** A key built into the bootloader. */
export interface TrustedKey {
  readonly key: KeyObject;
  readonly algorithm: SignatureAlgorithm;
  /** How an image names its signing key: a SHA-256 of the key's encoding (facts sheet, E4). */
  readonly hash: Uint8Array;
}

export type SignatureAlgorithm = 'ecdsa-p256' | 'ed25519' | 'rsa-2048';

/**
 * @param pem an ECDSA P-256, Ed25519 or RSA-2048 public key
 * @throws Error for any other text
 */
export function trustedKey(pem: string): TrustedKey {
  const key = createPublicKey(pem);
  const algorithm = algorithmOf(key);
  if (algorithm === undefined) throw new Error('only ECDSA P-256, Ed25519 and RSA-2048 keys are supported');
  // An RSA key is hashed in its own encoding, other keys in the one that names the algorithm.
  const encoded = key.export({ type: algorithm === 'rsa-2048' ? 'pkcs1' : 'spki', format: 'der' });
  return { key, algorithm, hash: createHash('sha256').update(encoded).digest() };
}

function algorithmOf({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject) {
  if (type === 'ed25519') return 'ed25519';
  if (type === 'ec' && details?.namedCurve === 'prime256v1') return 'ecdsa-p256';
  return type === 'rsa' && details?.modulusLength === 2048 ? 'rsa-2048' : undefined;
}

/** What the unprotected area may contain; anything else makes an image invalid (facts sheet, E2). */
const ALLOWED_UNPROTECTED: ReadonlySet<number> = new Set([
  0x01, 0x02, 0x10, 0x11, 0x12, 0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x30, 0x31, 0x32, 0x33, 0x34,
]);

/** Image flags (MCUboot `image.h`; facts sheet, E1). */
const NON_BOOTABLE = 0x10;
/** Encrypted with AES-128 or AES-256, or compressed: this product's bootloader supports neither. */
const UNSUPPORTED_FLAGS = 0x4 | 0x8 | 0x200 | 0x400 | 0x800;

/**
 * Validates an image like MCUboot before it boots or swaps one (facts sheet, E5): the hash over everything it covers,
 * and a signature by a known key. Returns undefined if the image is valid.
 */
export function imageFault(
  image: ParsedImage,
  keys: readonly TrustedKey[],
  largestBytes: number,
): ImageFault | undefined {
  if ((image.header.flags & NON_BOOTABLE) !== 0) return 'not_bootable';
  if ((image.header.flags & UNSUPPORTED_FLAGS) !== 0) return 'unsupported_flags';
  if (image.sizeBytes > largestBytes) return 'too_large';
  if (image.tlvs.some(({ type }) => !ALLOWED_UNPROTECTED.has(type))) return 'tlv_not_allowed';
  const region = image.readHashedRegion();
  const digest = createHash('sha256').update(region).digest();
  const hashes = image.tlvs.filter(({ type }) => type === TLV.sha256);
  if (hashes.length === 0) return 'no_hash';
  if (!hashes.every(({ value }) => same(value, digest))) return 'hash_mismatch';
  return signatureFault(image, keys, region, digest);
}

/** Each signature follows its key's hash. Signatures by unknown keys are skipped; one valid signature is enough. */
function signatureFault(
  image: ParsedImage,
  keys: readonly TrustedKey[],
  region: Uint8Array,
  digest: Uint8Array,
): ImageFault | undefined {
  let named: TrustedKey | undefined;
  let fault: ImageFault = 'no_signature';
  for (const { type, value } of image.tlvs) {
    if (type === TLV.keyHash) {
      named = keys.find(({ hash }) => same(hash, value));
      if (named === undefined && fault === 'no_signature') fault = 'unknown_key';
    } else if (named !== undefined && type === SIGNATURE_TLV[named.algorithm]) {
      if (isSignedBy(named, region, digest, value)) return undefined;
      fault = 'bad_signature';
    }
  }
  return fault;
}

const SIGNATURE_TLV = { 'ecdsa-p256': TLV.ecdsa, ed25519: TLV.ed25519, 'rsa-2048': TLV.rsa2048 } as const;

/** ECDSA and RSA-PSS sign the region's digest; Ed25519 takes that digest as its message (facts sheet, E3). */
function isSignedBy(trusted: TrustedKey, region: Uint8Array, digest: Uint8Array, signature: Uint8Array): boolean {
  const { key, algorithm } = trusted;
  switch (algorithm) {
    case 'ed25519':
      return verify(null, digest, key, signature);
    case 'ecdsa-p256':
      return verify('sha256', region, { key, dsaEncoding: 'der' }, signature);
    case 'rsa-2048':
      return verify('sha256', region, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }, signature);
  }
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && timingSafeEqual(a, b);
}
