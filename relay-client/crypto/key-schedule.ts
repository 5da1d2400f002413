import { type Bytes, KEY_BYTES, type KeyLabel, keyInfo, rekeyTranscript } from '@autowatering/relay-protocol';
import { agreedSecret, type CryptoKey, type EphemeralKey, sha256 } from './curves.ts';

/** The keys of one generation of a session. Only `rekey` can be read: the next generation is made from it. */
export interface Generation {
  readonly number: number;
  /** The hash of everything said so far. */
  readonly transcript: Bytes;
  readonly send: CryptoKey;
  readonly receive: CryptoKey;
  readonly confirm: CryptoKey;
  readonly rekey: Bytes;
}

/** The keys of a handshake. */
export function firstGeneration(secret: Bytes, salt: Bytes, transcript: Bytes): Promise<Generation> {
  return derive(secret, salt, transcript, 0);
}

/**
 * The keys after rekeying.
 *
 * @throws RelayError `bad_key` if the server's key is of low order
 */
export async function nextGeneration(
  last: Generation,
  client: EphemeralKey,
  serverEphemeral: Bytes,
): Promise<Generation> {
  const secret = await agreedSecret(client, serverEphemeral);
  const transcript = await sha256(rekeyTranscript(last.transcript, client.publicKey, serverEphemeral));
  return derive(secret, last.rekey, transcript, last.number + 1);
}

async function derive(secret: Bytes, salt: Bytes, transcript: Bytes, number: number): Promise<Generation> {
  const { subtle } = crypto;
  const material = await subtle.importKey('raw', secret, 'HKDF', false, ['deriveBits', 'deriveKey']);
  const hkdf = (label: KeyLabel) => ({ name: 'HKDF', hash: 'SHA-256', salt, info: keyInfo(label, transcript) });
  const aes = { name: 'AES-GCM', length: KEY_BYTES * 8 };
  const hmac = { name: 'HMAC', hash: 'SHA-256', length: KEY_BYTES * 8 };
  const [send, receive, confirm, rekey] = await Promise.all([
    subtle.deriveKey(hkdf('c2s'), material, aes, false, ['encrypt']),
    subtle.deriveKey(hkdf('s2c'), material, aes, false, ['decrypt']),
    subtle.deriveKey(hkdf('confirm'), material, hmac, false, ['sign']),
    subtle.deriveBits(hkdf('rekey'), material, KEY_BYTES * 8),
  ]);
  return { number, transcript, send, receive, confirm, rekey: new Uint8Array(rekey) };
}
