import { sign, verify } from 'node:crypto';
import { isPeerId, isUid, type PeerId, type Uid } from '../../platform/ids.ts';
import type { Services } from '../../platform/services.ts';
import { createIdentityKeys } from '../identity-keys.ts';

export const ACCESS_TOKEN_SECONDS = 60 * 60;
/** RFC 9068: keeps another kind of token signed with the same key from passing for one of these. */
const TYPE = 'at+jwt';
/** A longer one is not ours and not worth a signature check. */
const LONGEST_TOKEN = 2_048;
/** Containers' clocks may differ by this much. */
const SKEW_SECONDS = 5;

export type AccessTokenVerdict =
  | {
      readonly valid: true;
      readonly uid: Uid;
      readonly peerId: PeerId;
      /** Milliseconds since 1970. */
      readonly expiresAt: number;
    }
  | {
      readonly valid: false;
      readonly reason: 'malformed' | 'unknown_key' | 'bad_signature' | 'wrong_audience' | 'expired';
    };

export interface AccessTokens {
  /** A token for `ACCESS_TOKEN_SECONDS`. */
  issue(uid: Uid, peerId: PeerId): Promise<string>;
  /** Whether the token is genuine and of this environment. Says nothing about whether its peer is still active. */
  verify(token: string): Promise<AccessTokenVerdict>;
}

type Needed = Pick<Services, 'config' | 'secrets' | 'clock' | 'randomness'>;

/** What peers present: a JWT in the profile of RFC 9068, checked without any library because every connection does it. */
export function createAccessTokens({ config, secrets, clock, randomness }: Needed): AccessTokens {
  const keys = createIdentityKeys(secrets);
  const issuer = `autowatering-backend-${config.env}`;
  const audience = `autowatering-relay-${config.env}`;
  return {
    async issue(uid, peerId) {
      const { keyId, privateKey } = await keys.signing();
      const iat = Math.floor(clock.now() / 1000);
      const header = encoded({ alg: 'EdDSA', kid: keyId, typ: TYPE });
      const payload = encoded({
        ...{ iss: issuer, aud: audience, sub: uid, peer_id: peerId },
        ...{ jti: randomness.id(), iat, exp: iat + ACCESS_TOKEN_SECONDS },
      });
      const text = `${header}.${payload}`;
      return `${text}.${sign(null, Buffer.from(text), privateKey).toString('base64url')}`;
    },

    async verify(token) {
      if (token.length > LONGEST_TOKEN) return { valid: false, reason: 'malformed' };
      const [first = '', second = '', third = '', ...rest] = token.split('.');
      const { alg, kid, typ } = decoded(first);
      if (rest.length > 0 || alg !== 'EdDSA' || typ !== TYPE || typeof kid !== 'string') {
        return { valid: false, reason: 'malformed' };
      }
      const key = await keys.find(kid);
      if (key === undefined) return { valid: false, reason: 'unknown_key' };
      if (!verify(null, Buffer.from(`${first}.${second}`), key.publicKey, Buffer.from(third, 'base64url'))) {
        return { valid: false, reason: 'bad_signature' };
      }
      const { iss, aud, sub, peer_id: peerId, exp, iat } = decoded(second);
      if (iss !== issuer || aud !== audience) return { valid: false, reason: 'wrong_audience' };
      const isComplete = typeof sub === 'string' && typeof peerId === 'string' && typeof exp === 'number';
      if (!isComplete || typeof iat !== 'number' || !isUid(sub) || !isPeerId(peerId)) {
        return { valid: false, reason: 'malformed' };
      }
      const now = clock.now() / 1000;
      if (exp <= now || iat > now + SKEW_SECONDS) return { valid: false, reason: 'expired' };
      return { valid: true, uid: sub, peerId, expiresAt: exp * 1000 };
    },
  };
}

/** Whether a bearer token claims to be one of these rather than Cognito's: its header says so. */
export function looksLikeAccessToken(token: string): boolean {
  return token.length <= LONGEST_TOKEN && decoded(token.slice(0, Math.max(0, token.indexOf('.'))))['typ'] === TYPE;
}

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

/** The JSON object of a token's part; empty for anything else. */
export function decoded(part: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}
