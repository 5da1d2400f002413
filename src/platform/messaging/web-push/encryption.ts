import { createCipheriv, createECDH, hkdfSync } from 'node:crypto';

/** What a browser gives for encrypting to it: its public key (65 bytes) and a shared secret (16 bytes). */
export interface PushKeys {
  readonly p256dh: Uint8Array;
  readonly auth: Uint8Array;
}

/** Fresh for every message. */
export interface PushEntropy {
  /** 16 bytes. */
  readonly salt: Uint8Array;
  /** A private key of P-256, 32 bytes. */
  readonly privateKey: Uint8Array;
}

/** A message is one record; push services need not take longer ones (RFC 8291, section 4). */
const RECORD_BYTES = 4096;
const PUBLIC_KEY_BYTES = 65;
const HEADER_BYTES = 16 + 4 + 1 + PUBLIC_KEY_BYTES;
const TAG_BYTES = 16;
/** Ends the last record (RFC 8188, section 2). */
const DELIMITER = 2;

export const MOST_PLAIN_BYTES = RECORD_BYTES - HEADER_BYTES - TAG_BYTES - 1;

/**
 * Encrypts a push message for one browser by RFC 8291 (`aes128gcm`).
 *
 * @param paddedTo fills the plaintext with zeros up to this length, so that the length does not tell what it is
 * @throws if a key is no point of P-256, or the message does not fit
 */
export function encryptPush(
  plain: Uint8Array,
  { p256dh, auth }: PushKeys,
  { salt, privateKey }: PushEntropy,
  paddedTo = 0,
): Buffer {
  if (plain.length > MOST_PLAIN_BYTES) throw new RangeError(`A push message has at most ${MOST_PLAIN_BYTES} bytes`);
  const own = createECDH('prime256v1');
  own.setPrivateKey(privateKey);
  const publicKey = own.getPublicKey();
  const info = Buffer.concat([Buffer.from('WebPush: info\0'), p256dh, publicKey]);
  const secret = derive(own.computeSecret(p256dh), auth, info, 32);
  const key = derive(secret, salt, Buffer.from('Content-Encoding: aes128gcm\0'), 16);
  const nonce = derive(secret, salt, Buffer.from('Content-Encoding: nonce\0'), 12);

  const cipher = createCipheriv('aes-128-gcm', key, nonce);
  const padding = Buffer.alloc(Math.max(0, Math.min(paddedTo, MOST_PLAIN_BYTES) - plain.length));
  const header = Buffer.alloc(5);
  header.writeUInt32BE(RECORD_BYTES, 0);
  header.writeUInt8(publicKey.length, 4);
  return Buffer.concat([
    salt,
    header,
    publicKey,
    cipher.update(plain),
    cipher.update(Buffer.of(DELIMITER)),
    cipher.update(padding),
    cipher.final(),
    cipher.getAuthTag(),
  ]);
}

function derive(secret: Uint8Array, salt: Uint8Array, info: Uint8Array, bytes: number): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, salt, info, bytes));
}
