import * as z from 'zod';
import { defineRoute, type Route } from '../../http/define-route.ts';
import { ApiError } from '../../http/errors.ts';
import type { Services } from '../../platform/services.ts';
import type { IdentityKeys } from '../identity-keys.ts';
import { OAUTH_ERROR_FORM } from './oauth-error.ts';
import type { Tokens } from './tokens.ts';

const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
/** A household behind one address has twenty peers at most; each needs one an hour. */
const TOKEN_LIMIT = { requests: 120, windowSeconds: 60, per: 'address' } as const;
const FORM_BYTES = 16 * 1024;
/** How long clients may keep the public keys: a new one is in the list for longer than this before it matters. */
const KEYS_SECONDS = 300;

const text = z.string().max(8_192).optional();
/** Peers prove who they are by the grant itself; a client that offers something else thinks that it matters. */
const clientFields = { client_id: text, client_secret: text, client_assertion: text };

/** OAuth's side of the relay: tokens for peers, and the keys to check them with. */
export function tokenRoutes(services: Pick<Services, 'metrics'>, tokens: Tokens, keys: IdentityKeys): readonly Route[] {
  const token = defineRoute({
    method: 'POST',
    path: '/relay/token',
    auth: 'public',
    domain: 'relay',
    summary: 'Gives a peer its tokens',
    description:
      `OAuth 2.0, with \`grant_type=${JWT_BEARER}\` (RFC 7523) or \`refresh_token\`. The \`assertion\` is a JWT signed by ` +
      'the peer (EdDSA): `iss` and `sub` are the peer id, `aud` is this address, `exp` is within 5 minutes, and each ' +
      '`jti` is good once. The access token is good for an hour, the refresh token for 30 days and once: using one a ' +
      'second time, also after an answer was lost, ends all tokens of its family, and the peer comes with a new ' +
      'assertion. Errors have the form of RFC 6749, 5.2.',
    bodyKind: 'form',
    bodyLimit: FORM_BYTES,
    errorForm: OAUTH_ERROR_FORM,
    rateLimit: TOKEN_LIMIT,
    body: z.object({ grant_type: z.string().max(200), assertion: text, refresh_token: text, ...clientFields }),
    responses: {
      200: z.object({
        access_token: z.string(),
        token_type: z.literal('Bearer'),
        expires_in: z.number(),
        refresh_token: z.string(),
      }),
    },
    errors: ['invalid_client', 'invalid_grant', 'unsupported_grant_type'],
  }).handledBy(async ({ body }, { apiBaseUrl }) => {
    refuseOtherClients(body);
    const grant = await granted(body, `${apiBaseUrl}/relay/token`);
    services.metrics.count('RelayToken', { outcome: grant.granted ? 'granted' : 'refused' });
    if (!grant.granted) throw refused('invalid_grant', grant.fault);
    const { accessToken, expiresInSeconds, refreshToken } = grant.tokens;
    return {
      status: 200,
      body: {
        access_token: accessToken,
        token_type: 'Bearer',
        expires_in: expiresInSeconds,
        refresh_token: refreshToken,
      },
    };
  });

  const granted = async (body: TokenBody, address: string) => {
    switch (body.grant_type) {
      case JWT_BEARER:
        if (body.assertion === undefined) throw missing('assertion');
        return tokens.byAssertion(body.assertion, address, body.client_id);
      case 'refresh_token':
        if (body.refresh_token === undefined) throw missing('refresh_token');
        return tokens.byRefreshToken(body.refresh_token, body.client_id);
      default:
        throw refused('unsupported_grant_type', 'grant_type must be that of RFC 7523, or refresh_token');
    }
  };

  const revoke = defineRoute({
    method: 'POST',
    path: '/relay/token/revoke',
    auth: 'public',
    idempotent: true,
    domain: 'relay',
    summary: "Ends a peer's refresh token and its family",
    description:
      'RFC 7009: 200 also for a token that is unknown or ended already. An access token can’t be ended by itself; it ' +
      'does with the hour, or with its peer.',
    bodyKind: 'form',
    bodyLimit: FORM_BYTES,
    errorForm: OAUTH_ERROR_FORM,
    rateLimit: TOKEN_LIMIT,
    body: z.object({ token: z.string().max(8_192), token_type_hint: text, ...clientFields }),
    responses: { 200: z.object({}) },
    errors: ['invalid_client', 'unsupported_token_type'],
  }).handledBy(async ({ body }) => {
    refuseOtherClients(body);
    if ((await tokens.revoke(body.token)) === 'not_revocable') {
      throw new ApiError('unsupported_token_type', 'An access token ends by itself. Revoke the refresh token.');
    }
    return { status: 200, body: {} };
  });

  const jwks = defineRoute({
    method: 'GET',
    path: '/.well-known/jwks.json',
    auth: 'public',
    domain: 'relay',
    summary: "Lists the relay's public keys",
    description:
      'As a JSON Web Key Set (RFC 7517). They sign access tokens and, in the handshake, the relay itself: `kid` is its ' +
      '`server_key_id`. Two while they rotate. May be cached for 5 minutes.',
    responses: {
      200: z.object({
        keys: z.array(
          z.object({
            kty: z.literal('OKP'),
            crv: z.literal('Ed25519'),
            use: z.literal('sig'),
            alg: z.literal('EdDSA'),
            kid: z.string(),
            x: z.string(),
          }),
        ),
      }),
    },
    errors: [],
  }).handledBy(async () => {
    const all = await keys.all();
    return {
      status: 200,
      body: {
        keys: all.map(({ keyId: kid, x }) => ({ kty: 'OKP', crv: 'Ed25519', use: 'sig', alg: 'EdDSA', kid, x })),
      },
      headers: { 'Cache-Control': `public, max-age=${KEYS_SECONDS}` },
    };
  });

  return [token, revoke, jwks];
}

interface TokenBody {
  readonly grant_type: string;
  readonly assertion?: string | undefined;
  readonly refresh_token?: string | undefined;
  readonly client_id?: string | undefined;
}

/** RFC 6749, 5.2: a way of authenticating that we don't have. */
function refuseOtherClients(body: { readonly client_secret?: unknown; readonly client_assertion?: unknown }): void {
  if (body.client_secret === undefined && body.client_assertion === undefined) return;
  throw refused('invalid_client', 'peers authenticate by the grant itself, not by anything beside it');
}

/** What is wrong goes into the details, as everywhere; OAuth's form shows those to the developer. */
function refused(
  code: 'invalid_request' | 'invalid_client' | 'invalid_grant' | 'unsupported_grant_type',
  fault: string,
) {
  return new ApiError(code, 'This is not a valid way to get a token.', { details: { fault } });
}

function missing(field: string): ApiError {
  return refused('invalid_request', `${field} is missing`);
}
