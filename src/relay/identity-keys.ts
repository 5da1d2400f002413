import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import type { Secrets } from '../platform/aws/secrets.ts';
import { parseEd25519Key } from '../platform/ed25519-key.ts';

/** One of the relay's own keys: it signs `server_hello` and access tokens. */
export interface IdentityKey {
  /** The first 16 characters of the RFC 7638 thumbprint: `server_key_id` and `kid`. */
  readonly keyId: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** 32 bytes in base64url. */
  readonly x: string;
}

export interface IdentityKeys {
  /** The key that signs. @throws Error when the secret has none */
  signing(): Promise<IdentityKey>;
  /** All that are trusted: two while they rotate. */
  all(): Promise<readonly IdentityKey[]>;
  /** Looks the secret up again for a key that is not known, since it may just have been added. */
  find(keyId: string): Promise<IdentityKey | undefined>;
}

/** The relay's identity out of the secret's `RELAY_IDENTITY_KEY`. */
export function createIdentityKeys(secrets: Pick<Secrets, 'values' | 'freshValues'>): IdentityKeys {
  /** By their text, for the container's lifetime; they change only when the secret does. */
  const parsed = new Map<string, IdentityKey>();
  const keyOf = (text: string): IdentityKey => {
    const known = parsed.get(text);
    if (known !== undefined) return known;
    const key = parseIdentityKey(text);
    parsed.set(text, key);
    return key;
  };
  const keysIn = ({ RELAY_IDENTITY_KEY: configured = [] }: Awaited<ReturnType<Secrets['values']>>) =>
    [configured].flat().map(keyOf);
  const all = async () => keysIn(await secrets.values());
  return {
    all,
    async signing() {
      const [first] = await all();
      if (first === undefined) throw new Error('The secret has no RELAY_IDENTITY_KEY, which the relay signs with');
      return first;
    },
    async find(keyId) {
      const isIt = (key: IdentityKey) => key.keyId === keyId;
      return (await all()).find(isIt) ?? keysIn(await secrets.freshValues()).find(isIt);
    },
  };
}

const THUMBPRINT_CHARACTERS = 16;

function parseIdentityKey(text: string): IdentityKey {
  const privateKey = parseEd25519Key(text, 'RELAY_IDENTITY_KEY');
  const publicKey = createPublicKey(privateKey);
  const { x } = publicKey.export({ format: 'jwk' });
  if (x === undefined) throw new Error('RELAY_IDENTITY_KEY has no public half');
  // RFC 7638, 3.2: the required members in this order, without white space.
  const canonical = JSON.stringify({ crv: 'Ed25519', kty: 'OKP', x });
  const thumbprint = createHash('sha256').update(canonical).digest('base64url');
  return { keyId: thumbprint.slice(0, THUMBPRINT_CHARACTERS), privateKey, publicKey, x };
}
