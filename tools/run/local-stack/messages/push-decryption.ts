import { createDecipheriv, createHmac, type ECDH } from 'node:crypto';

/** A browser's side of a subscription. */
export interface BrowserKeys {
  readonly ecdh: ECDH;
  readonly auth: Buffer;
}

/** A message is not encrypted as RFC 8291 says, or not for this browser. */
export class PushDecryptionError extends Error {
  override readonly name = 'PushDecryptionError';
}

/**
 * Reads a push message as a browser does, step by step as RFC 8291 (section 3.4) and RFC 8188 have it.
 *
 * @throws PushDecryptionError
 */
export function decryptPush(message: Buffer, { ecdh, auth }: BrowserKeys): Buffer {
  const salt = message.subarray(0, 16);
  const recordBytes = message.length < 21 ? 0 : message.readUInt32BE(16);
  const keyBytes = message.length < 21 ? 0 : message.readUInt8(20);
  const serverKey = message.subarray(21, 21 + keyBytes);
  const record = message.subarray(21 + keyBytes);
  if (keyBytes !== 65 || recordBytes < 18) throw new PushDecryptionError('the header is not one of a push message');
  if (record.length > recordBytes || record.length < 17) throw new PushDecryptionError('it is not one record');
  try {
    const shared = hmac(auth, ecdh.computeSecret(serverKey));
    const secret = hmac(shared, Buffer.from('WebPush: info\0'), ecdh.getPublicKey(), serverKey, Buffer.of(1));
    const pseudoRandom = hmac(salt, secret);
    const key = hmac(pseudoRandom, Buffer.from('Content-Encoding: aes128gcm\0'), Buffer.of(1)).subarray(0, 16);
    const nonce = hmac(pseudoRandom, Buffer.from('Content-Encoding: nonce\0'), Buffer.of(1)).subarray(0, 12);
    const decipher = createDecipheriv('aes-128-gcm', key, nonce);
    decipher.setAuthTag(record.subarray(-16));
    const padded = Buffer.concat([decipher.update(record.subarray(0, -16)), decipher.final()]);
    const end = padded.findLastIndex((byte) => byte !== 0);
    if (padded[end] !== 2) throw new PushDecryptionError('the last record has no delimiter');
    return padded.subarray(0, end);
  } catch (error) {
    if (error instanceof PushDecryptionError) throw error;
    throw new PushDecryptionError('it was not encrypted for this browser', { cause: error });
  }
}

function hmac(key: Buffer, ...parts: readonly Buffer[]): Buffer {
  const hash = createHmac('sha256', key);
  for (const part of parts) hash.update(part);
  return hash.digest();
}
