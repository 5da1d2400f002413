import { createHash, verify } from 'node:crypto';
import type { PeerId } from '../names.ts';
import { isPeerId } from '../names.ts';
import { ed25519PublicKey } from '../peers/public-key.ts';
import { decoded } from './access-token.ts';

const ASSERTION_MS = 5 * 60 * 1000;
/** How far a peer's clock may be ahead of ours. */
const SKEW_MS = 60 * 1000;
const LONGEST_ASSERTION = 4_096;
const LONGEST_JTI = 256;

/** An assertion's claims, before its signature is checked: they name the key to check it with. */
export interface Assertion {
  readonly peerId: PeerId;
  readonly jtiHash: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
  isSignedBy(publicKey: string): boolean;
}

export type ParsedAssertion = Assertion | { readonly fault: string };

/**
 * Reads an authorization grant of RFC 7523 and checks everything about it but the signature.
 *
 * @param audience the token route's own address
 */
export function parseAssertion(text: string, audience: string, now: number): ParsedAssertion {
  if (text.length > LONGEST_ASSERTION) return { fault: 'the assertion is too long' };
  const [first = '', second = '', third = '', ...rest] = text.split('.');
  const header = decoded(first);
  if (rest.length > 0 || third === '') return { fault: 'the assertion is not a signed JWT' };
  if (header['alg'] !== 'EdDSA') return { fault: 'the assertion must be signed with EdDSA' };
  // RFC 7515, 4.1.11: what we don't understand and must, we can't accept.
  if ('crit' in header) return { fault: 'the assertion has critical extensions' };
  const { iss, sub, aud, exp, nbf, iat, jti } = decoded(second);
  if (typeof sub !== 'string' || !isPeerId(sub)) return { fault: 'sub must be the id of a peer' };
  if (iss !== sub) return { fault: 'iss must be the same as sub' };
  if (!isOnly(audience, aud)) return { fault: 'aud must be the address of this route' };
  if (typeof jti !== 'string' || jti === '' || jti.length > LONGEST_JTI) return { fault: 'jti is missing or too long' };
  if (typeof exp !== 'number' || !Number.isFinite(exp)) return { fault: 'exp is missing' };
  if (exp * 1000 <= now) return { fault: 'the assertion has expired' };
  if (exp * 1000 > now + ASSERTION_MS + SKEW_MS) return { fault: 'exp must be within 5 minutes' };
  if (isLater(nbf, now) || isLater(iat, now)) return { fault: 'the assertion is not valid yet' };
  return {
    peerId: sub,
    jtiHash: createHash('sha256').update(jti).digest('base64url'),
    expiresAt: exp * 1000,
    isSignedBy: (publicKey) =>
      verify(null, Buffer.from(`${first}.${second}`), ed25519PublicKey(publicKey), Buffer.from(third, 'base64url')),
  };
}

/** An assertion that is meant for several places could be taken from one of them to the next. */
function isOnly(audience: string, aud: unknown): boolean {
  return aud === audience || (Array.isArray(aud) && aud.length === 1 && aud[0] === audience);
}

/** Of an optional time in seconds; one that is no number is as bad as one to come. */
function isLater(seconds: unknown, now: number): boolean {
  return seconds !== undefined && (typeof seconds !== 'number' || !(seconds * 1000 <= now + SKEW_MS));
}
