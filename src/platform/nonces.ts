import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Services } from './services.ts';

/** A nonce is valid for one purpose and one subject only. */
export interface NoncePurpose {
  readonly purpose: 'claim' | 'receipt';
  readonly subject: string;
}

export interface Nonces {
  issue(what: NoncePurpose, validMs: number): Promise<{ readonly nonce: string; readonly expiresAt: number }>;
  /** Whether this backend issued the nonce for that purpose and subject, and it hasn't expired. */
  isGood(nonce: string, what: NoncePurpose): Promise<boolean>;
}

type Needed = Pick<Services, 'secrets' | 'clock' | 'randomness'>;

/** Creates nonces that need no table: they carry their expiry, random bytes and a keyed hash over both and the purpose. */
export function createNonces({ secrets, clock, randomness }: Needed): Nonces {
  const seal = async (expiry: string, chance: string, { purpose, subject }: NoncePurpose): Promise<Buffer> => {
    const { RATE_LIMIT_SALT: key } = await secrets.values();
    if (key === undefined) throw new Error('The secret has no RATE_LIMIT_SALT, which nonces are sealed with');
    return createHmac('sha256', key).update(`nonce|${purpose}|${expiry}|${chance}|${subject}`).digest().subarray(0, 16);
  };
  return {
    async issue(what, validMs) {
      const expiresAt = clock.now() + validMs;
      const [expiry, chance] = [expiresAt.toString(36), randomness.bytes(12).toString('base64url')];
      const sealed = (await seal(expiry, chance, what)).toString('base64url');
      return { nonce: `${expiry}.${chance}.${sealed}`, expiresAt };
    },
    async isGood(nonce, what) {
      const [expiry = '', chance = '', sealed = ''] = nonce.split('.');
      const expected = await seal(expiry, chance, what);
      const given = Buffer.from(sealed, 'base64url');
      const isOurs = given.byteLength === expected.byteLength && timingSafeEqual(given, expected);
      return isOurs && Number.parseInt(expiry, 36) > clock.now();
    },
  };
}
