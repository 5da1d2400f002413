import { KeySetError } from '../../platform/aws/cognito-tokens.ts';
import type { TokenName } from '../../platform/aws/secrets.ts';
import type { Services } from '../../platform/services.ts';
import { StripeNotConfiguredError } from '../../platform/stripe/stripe-errors.ts';
import type { StripeSignatures } from '../../platform/stripe/stripe-signatures.ts';
import { type BodyLimit, readBody } from '../body/body-limit.ts';
import { parseJson } from '../body/json-body.ts';
import type { Auth, Caller } from '../define-route.ts';
import { ApiError } from '../errors.ts';
import type { IncomingRequest } from '../exchange.ts';

/** @param limit for the body, which is read here only when it is signed */
export type Authenticate = (auth: Auth, request: IncomingRequest, limit: BodyLimit) => Promise<Caller>;

type Needed = Pick<Services, 'cognitoTokens' | 'secrets' | 'stripeSignatures' | 'metrics'>;

/** Authenticates the caller. Missing credentials are `auth_required`, bad ones `invalid_token` (contract, "Auth"). */
export function createAuthenticate({ cognitoTokens, secrets, stripeSignatures, metrics }: Needed): Authenticate {
  const user = async (token: string): Promise<Caller> => {
    try {
      const verdict = await cognitoTokens.verify(token);
      if (!verdict.valid) throw invalidToken();
      return { kind: 'user', ...verdict.claims };
    } catch (error) {
      if (!(error instanceof KeySetError)) throw error;
      throw new ApiError('auth_unavailable', 'We can’t check your sign-in right now. Please try again in a moment.', {
        headers: { 'Retry-After': '5' },
        cause: error,
      });
    }
  };

  const machine = async (secret: TokenName, token: string | undefined): Promise<void> => {
    if (token === undefined) throw authRequired();
    if (await secrets.isToken(secret, token)) return;
    metrics.count('MachineTokenRefused', { guard: GUARDS[secret] });
    throw invalidToken();
  };

  return async (auth, request, limit) => {
    const bearer = bearerToken(request.header('authorization'));
    switch (auth) {
      case 'public':
        return { kind: 'anonymous' };
      case 'cognito-optional':
        return bearer === undefined ? { kind: 'anonymous' } : user(bearer);
      case 'cognito':
        if (bearer === undefined) throw authRequired();
        return user(bearer);
      case 'factory':
        await machine('FACTORY_PROVISION_TOKEN', request.header('x-factory-token') || undefined);
        return { kind: 'factory', station: stationName(request.header('x-factory-station')) };
      case 'admin':
        await machine('OTA_ADMIN_TOKEN', request.header('x-admin-token') || bearer);
        return { kind: 'admin' };
      case 'stripe':
        return stripe(stripeSignatures, request, limit);
    }
  };
}

/** The guards' names in alarms. */
const GUARDS: Readonly<Record<TokenName, string>> = { FACTORY_PROVISION_TOKEN: 'factory', OTA_ADMIN_TOKEN: 'admin' };

/** The signature covers the raw bytes, so the body is read here and nowhere else. */
async function stripe(signatures: StripeSignatures, request: IncomingRequest, limit: BodyLimit): Promise<Caller> {
  const header = request.header('stripe-signature');
  const raw = await readBody(request, limit);
  try {
    if (header === undefined || !(await signatures.isGenuine(raw, header))) {
      throw new ApiError('invalid_signature', 'This is not signed by Stripe.');
    }
  } catch (error) {
    if (!(error instanceof StripeNotConfiguredError)) throw error;
    throw new ApiError('billing_unavailable', 'Payments are not available yet. Please try again later.', {
      cause: error,
    });
  }
  return { kind: 'stripe', payload: parseJson(raw) };
}

/** Stations share one token. The audit records the name they report. */
function stationName(header: string | undefined): string {
  if (header === undefined) return 'unnamed';
  if (/^[A-Za-z0-9._-]{1,40}$/.test(header)) return header;
  throw new ApiError(
    'validation_failed',
    'The name of the station may have up to 40 letters, digits, dots, dashes and underscores.',
    {
      details: [{ in: 'header', field: 'x-factory-station', message: 'up to 40 letters, digits, . _ and -' }],
    },
  );
}

function bearerToken(header: string | undefined): string | undefined {
  return header?.match(/^Bearer +(\S+)$/i)?.[1];
}

function authRequired(): ApiError {
  return new ApiError('auth_required', 'Please sign in first.', { headers: { 'WWW-Authenticate': 'Bearer' } });
}

function invalidToken(): ApiError {
  return new ApiError('invalid_token', 'Your sign-in has expired. Please sign in again.', {
    headers: { 'WWW-Authenticate': 'Bearer error="invalid_token"' },
  });
}
