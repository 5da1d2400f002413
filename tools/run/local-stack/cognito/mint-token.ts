import { createPrivateKey, randomUUID, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import * as z from 'zod';
import { LOCAL_CLIENT_ID, LOCAL_REGION, LOCAL_USER_POOL_ID } from './cognito-local.ts';

/** cognito-local's signing key, which is part of the package and so protects nothing. */
const keyFile = createRequire(import.meta.url).resolve('cognito-local/lib/keys/cognitoLocal.private.json');
const { pem } = z.object({ pem: z.string() }).parse(JSON.parse(readFileSync(keyFile, 'utf8')));
const signingKey = createPrivateKey(pem);

export interface TokenClaims {
  readonly sub?: string;
  readonly use?: 'id' | 'access' | 'refresh';
  readonly email?: string;
  readonly username?: string;
  /** Seconds since 1970. */
  readonly authTime?: number;
  readonly expiresAt?: number;
  readonly clientId?: string;
  readonly poolId?: string;
  readonly algorithm?: 'RS256' | 'none' | 'HS256';
  readonly keyId?: string;
}

/** Creates a token like the local Cognito's, without a login. Every claim can be overridden. */
export function mintToken(claims: TokenClaims = {}): string {
  const now = Math.floor(Date.now() / 1000);
  const { use = 'id', sub = randomUUID(), clientId = LOCAL_CLIENT_ID, algorithm = 'RS256' } = claims;
  const header = { alg: algorithm, kid: claims.keyId ?? 'CognitoLocal', typ: 'JWT' };
  const username = claims.username ?? sub;
  const payload = {
    sub,
    token_use: use,
    iss: `https://cognito-idp.${LOCAL_REGION}.amazonaws.com/${claims.poolId ?? LOCAL_USER_POOL_ID}`,
    iat: now,
    exp: claims.expiresAt ?? now + 3600,
    auth_time: claims.authTime ?? now,
    ...(use === 'id'
      ? { aud: clientId, 'cognito:username': username, email: claims.email ?? 'a@example.com', email_verified: true }
      : { client_id: clientId, username }),
  };
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part(header)}.${part(payload)}`;
  if (algorithm === 'none') return `${signed}.`;
  return `${signed}.${sign('sha256', Buffer.from(signed), signingKey).toString('base64url')}`;
}
