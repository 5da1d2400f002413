import {
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
  sign,
  timingSafeEqual,
  verify,
} from 'node:crypto';
import {
  clientSignedText,
  confirmText,
  type Greetings,
  greetingsTranscript,
  handshakeSalt,
  handshakeTranscript,
  isLowOrderKey,
  KEY_BYTES,
  keyInfo,
  rekeyTranscript,
  serverSignedText,
} from '@autowatering/relay-protocol';

/** The keys of one generation, and the transcript hash that they and the next generation depend on. */
export interface SessionKeys {
  readonly th: Buffer;
  readonly c2s: Buffer;
  readonly s2c: Buffer;
  readonly confirm: Buffer;
  readonly rekey: Buffer;
}

export interface EphemeralKey {
  readonly privateKey: KeyObject;
  /** 32 bytes. */
  readonly publicKey: Buffer;
}

/** A fresh X25519 key pair. */
export function createEphemeralKey(): EphemeralKey {
  const { privateKey, publicKey } = generateKeyPairSync('x25519');
  return { privateKey, publicKey: rawPublicKey(publicKey) };
}

/** DER in front of the 32 bytes of a key (RFC 8410). */
const DER = {
  x25519: { private: '302e020100300506032b656e04220420', public: '302a300506032b656e032100' },
  ed25519: { private: '302e020100300506032b657004220420', public: '302a300506032b6570032100' },
} as const;
type Curve = keyof typeof DER;

/** @throws Error for other than 32 bytes */
export function publicKeyOf(curve: Curve, raw: Uint8Array): KeyObject {
  const key = Buffer.concat([Buffer.from(DER[curve].public, 'hex'), raw]);
  return createPublicKey({ key, format: 'der', type: 'spki' });
}

/** @throws Error for other than 32 bytes */
export function privateKeyOf(curve: Curve, raw: Uint8Array): KeyObject {
  const key = Buffer.concat([Buffer.from(DER[curve].private, 'hex'), raw]);
  return createPrivateKey({ key, format: 'der', type: 'pkcs8' });
}

/** The 32 bytes of a public key. */
export function rawPublicKey(key: KeyObject): Buffer {
  return key.export({ format: 'der', type: 'spki' }).subarray(-KEY_BYTES);
}

/** X25519. Undefined for a key whose shared secret anybody could know. */
export function sharedSecret(privateKey: KeyObject, publicKey: Uint8Array): Buffer | undefined {
  if (publicKey.byteLength !== KEY_BYTES || isLowOrderKey(publicKey)) return undefined;
  let secret: Buffer;
  try {
    secret = diffieHellman({ privateKey, publicKey: publicKeyOf('x25519', publicKey) });
  } catch {
    // OpenSSL itself refuses a secret of zeros.
    return undefined;
  }
  return timingSafeEqual(secret, Buffer.alloc(KEY_BYTES)) ? undefined : secret;
}

/** The server's signature over the greetings, and `th` with it. */
export function signGreetings(
  said: Greetings,
  identity: KeyObject,
): { readonly signature: Buffer; readonly th: Buffer } {
  const t1 = greetingsTranscript(said);
  const signature = sign(null, serverSignedText(sha256(t1)), identity);
  return { signature, th: sha256(handshakeTranscript(t1, signature)) };
}

/** The first generation's keys. */
export function handshakeKeys(
  { clientNonce, serverNonce }: Pick<Greetings, 'clientNonce' | 'serverNonce'>,
  th: Buffer,
  secret: Buffer,
): SessionKeys {
  return expand(extract(handshakeSalt(clientNonce, serverNonce), secret), th);
}

/** The next generation's keys. */
export function nextKeys(
  keys: Pick<SessionKeys, 'th' | 'rekey'>,
  clientEphemeral: Uint8Array,
  serverEphemeral: Uint8Array,
  secret: Buffer,
): SessionKeys {
  const th = sha256(rekeyTranscript(keys.th, clientEphemeral, serverEphemeral));
  return expand(extract(keys.rekey, secret), th);
}

/** Whether the peer has signed this handshake and knows its keys. Takes the same time whichever byte of the MAC is wrong. */
export function isConfirmed(
  peer: { readonly peerId: string; readonly publicKey: Uint8Array },
  keys: Pick<SessionKeys, 'th' | 'confirm'>,
  { signature, mac }: { readonly signature: Uint8Array; readonly mac: Uint8Array },
): boolean {
  const expected = createHmac('sha256', keys.confirm).update(confirmText(peer.peerId, signature)).digest();
  const knowsKeys = mac.byteLength === expected.byteLength && timingSafeEqual(mac, expected);
  const hasSigned = verify(null, clientSignedText(keys.th), publicKeyOf('ed25519', peer.publicKey), signature);
  return knowsKeys && hasSigned;
}

export function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}

/** HKDF-Extract (RFC 5869, 2.2). */
function extract(salt: Uint8Array, secret: Buffer): Buffer {
  return createHmac('sha256', salt).update(secret).digest();
}

function expand(prk: Buffer, th: Buffer): SessionKeys {
  // Node's HKDF extracts as well; one block of HKDF-Expand is the HMAC of info and a counter (RFC 5869, 2.3).
  const key = (label: 'c2s' | 's2c' | 'confirm' | 'rekey') =>
    createHmac('sha256', prk).update(keyInfo(label, th)).update(Uint8Array.of(1)).digest();
  return { th, c2s: key('c2s'), s2c: key('s2c'), confirm: key('confirm'), rekey: key('rekey') };
}
