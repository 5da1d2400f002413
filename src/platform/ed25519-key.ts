import { createPrivateKey, type KeyObject } from 'node:crypto';

/**
 * Reads an Ed25519 private key out of the secret.
 *
 * @param text a PKCS#8 private key as PEM, or its DER in base64
 * @param name the secret's entry, for the error
 * @throws Error for anything else; the message never contains the text
 */
export function parseEd25519Key(text: string, name: string): KeyObject {
  let key: KeyObject;
  try {
    key = text.includes('BEGIN')
      ? createPrivateKey(text)
      : createPrivateKey({ key: Buffer.from(text, 'base64'), format: 'der', type: 'pkcs8' });
  } catch {
    // The parser's own message could contain the key.
    throw new Error(`${name} holds something that is no private key`);
  }
  if (key.asymmetricKeyType !== 'ed25519') throw new Error(`${name} must hold Ed25519 keys`);
  return key;
}
