import { randomUUID } from 'node:crypto';
import { mintToken, type TokenClaims } from '../../tools/run/local-stack/cognito/mint-token.ts';

export function bearer(jwt: string): { readonly Authorization: string } {
  return { Authorization: `Bearer ${jwt}` };
}

/** A new signed-in user: the id and the request headers. */
export function newUser(claims: TokenClaims = {}) {
  const uid = claims.sub ?? randomUUID();
  return { uid, headers: bearer(mintToken({ email: `${uid}@example.com`, ...claims, sub: uid })) };
}
