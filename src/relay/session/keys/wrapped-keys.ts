import { createCipheriv, createDecipheriv, createHash, hkdfSync } from 'node:crypto';
import type { SecretValues } from '../../../platform/aws/secrets.ts';
import type { Services } from '../../../platform/services.ts';

/** Encrypts session keys before they are stored. What is wrapped for one context can't be unwrapped for another. */
export interface KeyWrap {
  /** @param context what the key belongs to, e.g. a connection's id */
  wrap(key: Uint8Array, context: string): Promise<Buffer>;
  /** @throws UnwrapError for anything that was not wrapped like this, or with a key that is gone */
  unwrap(wrapped: Uint8Array, context: string): Promise<Buffer>;
}

export class UnwrapError extends Error {
  override readonly name = 'UnwrapError';
}

const CIPHER = 'aes-256-gcm';
const KEY_ID_BYTES = 4;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** Connections whose frames one container handles within a short time. */
const MOST_CONTEXTS = 1_000;

interface WrapKey {
  /** Tells which key it was, while they rotate. */
  readonly id: Buffer;
  readonly secret: string;
}

type Needed = Pick<Services, 'secrets' | 'randomness'>;

/**
 * AES-256-GCM, with a key for each context out of the secret's `RELAY_WRAP_KEY`: the first one wraps, the others still
 * unwrap. Stored as id of the key, nonce, ciphertext, tag.
 */
export function createKeyWrap({ secrets, randomness }: Needed): KeyWrap {
  const known = new Map<string, WrapKey>();
  const contextKey = createContextKeys();
  const keysIn = ({ RELAY_WRAP_KEY: configured = [] }: SecretValues): readonly WrapKey[] =>
    [configured].flat().map((secret) => {
      const key = known.get(secret) ?? { id: idOf(secret), secret };
      known.set(secret, key);
      return key;
    });

  return {
    async wrap(key, context) {
      const [first] = keysIn(await secrets.values());
      if (first === undefined) throw new Error('The secret has no RELAY_WRAP_KEY, which session keys are stored with');
      const nonce = randomness.bytes(NONCE_BYTES);
      const cipher = createCipheriv(CIPHER, contextKey(first, context), nonce);
      return Buffer.concat([first.id, nonce, cipher.update(key), cipher.final(), cipher.getAuthTag()]);
    },

    async unwrap(wrapped, context) {
      const bytes = Buffer.from(wrapped);
      const isIt = ({ id }: WrapKey) => id.equals(bytes.subarray(0, KEY_ID_BYTES));
      // Another container may already know a newer secret.
      const key = keysIn(await secrets.values()).find(isIt) ?? keysIn(await secrets.freshValues()).find(isIt);
      if (key === undefined) throw new UnwrapError('Wrapped with a key that the secret does not have');
      const nonce = bytes.subarray(KEY_ID_BYTES, KEY_ID_BYTES + NONCE_BYTES);
      const decipher = createDecipheriv(CIPHER, contextKey(key, context), nonce, { authTagLength: TAG_BYTES });
      try {
        decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
        const sealed = bytes.subarray(KEY_ID_BYTES + NONCE_BYTES, -TAG_BYTES);
        return Buffer.concat([decipher.update(sealed), decipher.final()]);
      } catch (error) {
        throw new UnwrapError('Not wrapped for this', { cause: error });
      }
    },
  };
}

/** Derives the keys of contexts, and keeps the newest: a connection's frames need the same one again and again. */
function createContextKeys(): (key: WrapKey, context: string) => Buffer {
  const derived = new Map<string, Buffer>();
  return ({ id, secret }, context) => {
    const name = `${id.toString('hex')} ${context}`;
    const known = derived.get(name);
    if (known !== undefined) return known;
    const key = Buffer.from(hkdfSync('sha256', secret, '', `autowatering-relay wrap\0${context}`, 32));
    const [oldest] = derived.size < MOST_CONTEXTS ? [] : derived.keys();
    if (oldest !== undefined) derived.delete(oldest);
    derived.set(name, key);
    return key;
  };
}

function idOf(secret: string): Buffer {
  return createHash('sha256').update(`autowatering-relay wrap id\0${secret}`).digest().subarray(0, KEY_ID_BYTES);
}
