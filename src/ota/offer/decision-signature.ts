import { createHash, createPublicKey, type KeyObject, sign } from 'node:crypto';
import type { Secrets } from '../../platform/aws/secrets.ts';
import { parseEd25519Key } from '../../platform/ed25519-key.ts';

export interface SignedDecision {
  /** The signed JSON text, in base64url, so that exactly the bytes that were sent are verified. */
  readonly payload: string;
  /** One per active key. During a rotation a phone needs to know only one of them. */
  readonly signatures: readonly { readonly key_id: string; readonly value: string }[];
}

export interface SigningKey {
  /** First 16 hex digits of SHA-256 over the public key's SPKI. */
  readonly keyId: string;
  readonly publicKeyPem: string;
  readonly privateKey: KeyObject;
}

export interface DecisionSigner {
  /** Undefined when no key is configured. @throws Error for a key that is not Ed25519 */
  sign(decision: object): Promise<SignedDecision | undefined>;
  keys(): Promise<readonly SigningKey[]>;
}

/** One second's worth of different decisions, some 100 KB at most. */
const MOST_SIGNED = 200;

/** Signs answers with Ed25519, so that a phone that knows the public key detects tampering (docs/ota.md). */
export function createDecisionSigner(secrets: Secrets): DecisionSigner {
  /** Parsed keys by their text, for the container's lifetime; they change only when the secret does. */
  const parsed = new Map<string, SigningKey>();
  const keyOf = (text: string): SigningKey => {
    const known = parsed.get(text);
    if (known !== undefined) return known;
    const key = parseSigningKey(text);
    parsed.set(text, key);
    return key;
  };
  /** Recently signed decisions by their text: many phones ask the same question in the same second. */
  const signed = new Map<string, SignedDecision>();
  let signedWith = '';
  const keys = async () => {
    const { OTA_SIGNING_KEY: configured = [] } = await secrets.values();
    return [configured].flat().map(keyOf);
  };
  return {
    keys,
    async sign(decision) {
      const inUse = await keys();
      if (inUse.length === 0) return undefined;
      const text = JSON.stringify(decision);
      const keyIds = inUse.map(({ keyId }) => keyId).join();
      if (keyIds !== signedWith || signed.size >= MOST_SIGNED) signed.clear();
      signedWith = keyIds;
      const known = signed.get(text);
      if (known !== undefined) return known;
      const bytes = Buffer.from(text);
      const fresh: SignedDecision = {
        payload: bytes.toString('base64url'),
        signatures: inUse.map(({ keyId, privateKey }) => ({
          key_id: keyId,
          value: sign(null, bytes, privateKey).toString('base64url'),
        })),
      };
      signed.set(text, fresh);
      return fresh;
    },
  };
}

function parseSigningKey(text: string): SigningKey {
  const privateKey = parseEd25519Key(text, 'OTA_SIGNING_KEY');
  const publicKey = createPublicKey(privateKey);
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  return {
    keyId: createHash('sha256').update(spki).digest('hex').slice(0, 16),
    publicKeyPem: String(publicKey.export({ type: 'spki', format: 'pem' })),
    privateKey,
  };
}
