import type { Randomness } from '../../platform/ids.ts';

declare const brand: unique symbol;

/**
 * The proof of possession on a device's label: nine random characters of Crockford base32 (45 bits) plus Crockford's
 * check character (modulo 37), which catches every single wrong character and every swap.
 */
export type ClaimCode = string & { readonly [brand]: 'ClaimCode' };

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const CHECK_ALPHABET = `${ALPHABET}*~$=U`;
const PAYLOAD = 9;

export function createClaimCode(randomness: Pick<Randomness, 'bytes'>): ClaimCode {
  // 256 is a multiple of 32, so five bits of a byte are evenly distributed.
  const payload = [...randomness.bytes(PAYLOAD)].map((byte) => ALPHABET.charAt(byte & 31)).join('');
  const code = payload + checkCharacter(payload);
  if (!isClaimCode(code)) throw new Error('made a claim code that does not check');
  return code;
}

/** Parses a typed code: any case, with dashes or spaces, O for 0, I or L for 1. */
export function parseClaimCode(typed: string): ClaimCode | undefined {
  const code = typed.toUpperCase().replace(/[\s-]/g, '').replace(/O/g, '0').replace(/[IL]/g, '1');
  return isClaimCode(code) ? code : undefined;
}

function isClaimCode(code: string): code is ClaimCode {
  if (code.length !== PAYLOAD + 1) return false;
  const payload = code.slice(0, PAYLOAD);
  return [...payload].every((char) => ALPHABET.includes(char)) && code.charAt(PAYLOAD) === checkCharacter(payload);
}

function checkCharacter(payload: string): string {
  const remainder = [...payload].reduce((sum, char) => (sum * 32 + ALPHABET.indexOf(char)) % 37, 0);
  return CHECK_ALPHABET.charAt(remainder);
}
