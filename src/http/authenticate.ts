import { type CognitoTokens, KeySetError } from '../platform/cognito-tokens.ts';
import type { Secrets, TokenName } from '../platform/secrets.ts';
import type { Auth, Caller } from './define-route.ts';
import { ApiError } from './errors.ts';

export type Authenticate = (auth: Auth, headers: Headers) => Promise<Caller>;

/** Finds out who calls. Absent credentials are `auth_required`, bad ones `invalid_token` (contract, "Auth"). */
export function createAuthenticate(cognitoTokens: CognitoTokens, secrets: Secrets): Authenticate {
  const user = async (token: string): Promise<Caller> => {
    try {
      const verdict = await cognitoTokens.verify(token);
      if (!verdict.valid) throw invalidToken();
      return { kind: 'user', ...verdict.claims };
    } catch (error) {
      if (!(error instanceof KeySetError)) throw error;
      throw new ApiError('auth_unavailable', 'Sign-in can not be checked right now. Please try again in a moment.', {
        headers: { 'Retry-After': '5' },
        cause: error,
      });
    }
  };

  const machine = async (kind: 'factory' | 'admin', secret: TokenName, token: string | undefined): Promise<Caller> => {
    if (token === undefined) throw authRequired();
    if (!(await secrets.isToken(secret, token))) throw invalidToken();
    return { kind };
  };

  return async (auth, headers) => {
    const bearer = bearerToken(headers.get('authorization'));
    switch (auth) {
      case 'public':
        return { kind: 'anonymous' };
      case 'cognito-optional':
        return bearer === undefined ? { kind: 'anonymous' } : user(bearer);
      case 'cognito':
        if (bearer === undefined) throw authRequired();
        return user(bearer);
      case 'factory':
        return machine('factory', 'FACTORY_PROVISION_TOKEN', headers.get('x-factory-token') || undefined);
      case 'admin':
        return machine('admin', 'OTA_ADMIN_TOKEN', headers.get('x-admin-token') || bearer);
    }
  };
}

function bearerToken(header: string | null): string | undefined {
  return header?.match(/^Bearer +(\S+)$/i)?.[1];
}

function authRequired(): ApiError {
  return new ApiError('auth_required', 'Please sign in first.', { headers: { 'WWW-Authenticate': 'Bearer' } });
}

function invalidToken(): ApiError {
  return new ApiError('invalid_token', 'Your sign-in is not valid any more. Please sign in again.', {
    headers: { 'WWW-Authenticate': 'Bearer error="invalid_token"' },
  });
}
