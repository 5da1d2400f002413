import { createPublicKey, type KeyObject, verify } from 'node:crypto';

const ED25519_BYTES = 32;
const P256_POINT_BYTES = 65;
/** r and s, as small embedded libraries produce them; longer signatures are DER. */
const P256_RAW_SIGNATURE_BYTES = 64;

/**
 * A device's public key as the factory reads it: base64 of 32 bytes (Ed25519), of a 65-byte uncompressed point (P-256),
 * or of a SubjectPublicKeyInfo of either, which may also be PEM. Returns undefined for anything else.
 */
export function parseDeviceKey(text: string): KeyObject | undefined {
  const isPem = text.startsWith('-----BEGIN PUBLIC KEY-----');
  if (!isPem && !/^[A-Za-z0-9+/_-]+={0,2}$/.test(text)) return undefined;
  try {
    const key = createPublicKey(isPem ? text : keyInput(Buffer.from(text, 'base64')));
    const isP256 = key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1';
    return isP256 || key.asymmetricKeyType === 'ed25519' ? key : undefined;
  } catch {
    // The bytes are not a key; Node's error says no more than that.
    return undefined;
  }
}

function keyInput(bytes: Buffer): Parameters<typeof createPublicKey>[0] {
  const part = (from: number, to?: number) => bytes.subarray(from, to).toString('base64url');
  if (bytes.byteLength === ED25519_BYTES) {
    return { key: { kty: 'OKP', crv: 'Ed25519', x: part(0) }, format: 'jwk' };
  }
  if (bytes.byteLength === P256_POINT_BYTES && bytes[0] === 0x04) {
    return { key: { kty: 'EC', crv: 'P-256', x: part(1, 33), y: part(33) }, format: 'jwk' };
  }
  return { key: bytes, format: 'der', type: 'spki' };
}

/** @param signature base64 or base64url; raw or DER for a P-256 key */
export function isSignedByDevice(key: KeyObject, message: string, signature: string): boolean {
  const bytes = Buffer.from(signature, 'base64');
  const data = Buffer.from(message, 'utf8');
  if (key.asymmetricKeyType === 'ed25519') return verify(null, data, key, bytes);
  const dsaEncoding = bytes.byteLength === P256_RAW_SIGNATURE_BYTES ? 'ieee-p1363' : 'der';
  return verify('sha256', data, { key, dsaEncoding }, bytes);
}
