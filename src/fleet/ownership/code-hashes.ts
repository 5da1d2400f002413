import { createHmac, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import type { SecretValues } from '../../platform/aws/secrets.ts';
import type { HwId } from '../../platform/ids.ts';
import type { Services } from '../../platform/services.ts';
import type { HashedCode } from '../device/device.ts';
import type { ClaimCode } from './claim-code.ts';

/** What a code is for. A hash for one purpose or device is useless for another. */
export interface CodeSubject {
  readonly purpose: 'claim' | 'transfer';
  /** Undefined for a device that does not exist. */
  readonly hwId: HwId | undefined;
}

export interface CodeHashes {
  hash(code: ClaimCode, subject: CodeSubject): Promise<HashedCode>;
  /**
   * Checks a code against a stored hash. Without a stored hash it does the same work and returns false.
   *
   * @throws Error when the hash is keyed and the secret has no key; "wrong code" would be untrue
   */
  isHashOf(code: ClaimCode, stored: HashedCode | undefined, subject: CodeSubject): Promise<boolean>;
}

const KEYED = 'hmac:';
/** 128 bits, far more than the 45 of a code. */
const MAC_BYTES = 16;
const NOBODYS_HASH: HashedCode = { hash: `${KEYED}${'A'.repeat(22)}` };
const NOBODYS_SLOW_HASH: HashedCode = { hash: 'A'.repeat(43), salt: 'A'.repeat(22) };

/**
 * Claim and transfer codes are stored as HMAC-SHA-256 under CLAIM_CODE_KEY. A stolen table is useless without the key,
 * which exists only in the secret. Older hashes, from before there was a key, are salted scrypt. They remain valid
 * until the device gets another code.
 *
 * While the secret has no key, new codes are stored under scrypt, too.
 */
export function createCodeHashes({ secrets, randomness }: Pick<Services, 'secrets' | 'randomness'>): CodeHashes {
  return {
    async hash(code, subject) {
      const [key] = keysIn(await secrets.values());
      if (key !== undefined) return { hash: `${KEYED}${keyedHash(code, subject, key).toString('base64url')}` };
      const salt = randomness.bytes(16);
      return { salt: salt.toString('base64url'), hash: (await slowHash(code, salt)).toString('base64url') };
    },

    async isHashOf(code, stored, subject) {
      const keys = keysIn(await secrets.values());
      const { hash, salt } = stored ?? (keys.length === 0 ? NOBODYS_SLOW_HASH : NOBODYS_HASH);
      if (salt !== undefined) {
        const made = await slowHash(code, Buffer.from(salt, 'base64url'));
        return timingSafeEqual(made, Buffer.from(hash, 'base64url')) && stored !== undefined;
      }
      const isUnder = (tried: readonly string[]) => isHashUnder(hash, tried, code, subject);
      if (isUnder(keys)) return stored !== undefined;
      // Another container may already use a newer key, so a miss counts only after the secret is read again.
      const fresh = keysIn(await secrets.freshValues());
      if (fresh.length === 0) throw new Error('The secret has no CLAIM_CODE_KEY, which this code was hashed with');
      return isUnder(fresh) && stored !== undefined;
    },
  };
}

function keysIn({ CLAIM_CODE_KEY: keys = [] }: SecretValues): readonly string[] {
  return [keys].flat();
}

/** Compares with every key, so that timing reveals neither which key matched nor how many bytes. */
function isHashUnder(hash: string, keys: readonly string[], code: ClaimCode, subject: CodeSubject): boolean {
  const expected = Buffer.from(hash.slice(KEYED.length), 'base64url');
  let found = false;
  for (const key of keys) {
    const made = keyedHash(code, subject, key);
    if (made.byteLength === expected.byteLength && timingSafeEqual(made, expected)) found = true;
  }
  return found;
}

function keyedHash(code: ClaimCode, { purpose, hwId }: CodeSubject, key: string): Buffer {
  return createHmac('sha256', key)
    .update(`code|${purpose}|${hwId ?? ''}|${code}`)
    .digest()
    .subarray(0, MAC_BYTES);
}

const derive = promisify<string, Buffer, number, { N: number; r: number; p: number }, Buffer>(scrypt);
const COST = { N: 4096, r: 8, p: 1 } as const;
const SLOW_BYTES = 32;

function slowHash(code: ClaimCode, salt: Buffer): Promise<Buffer> {
  return derive(code, salt, SLOW_BYTES, COST);
}
