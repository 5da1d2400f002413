import { KeySetError } from '../../platform/aws/cognito/cognito-tokens.ts';
import type { TokenName } from '../../platform/aws/secrets.ts';
import type { PeerId, Uid } from '../../platform/ids.ts';
import type { Services } from '../../platform/services.ts';
import { StripeNotConfiguredError } from '../../platform/stripe/stripe-errors.ts';
import type { StripeSignatures } from '../../platform/stripe/stripe-signatures.ts';
import { type BodyLimit, readBody } from '../body/body-limit.ts';
import { parseJson } from '../body/json-body.ts';
import type { Caller, PeerCaller } from '../caller.ts';
import { ApiError } from '../errors.ts';
import type { IncomingRequest } from '../exchange.ts';
import type { DeclaredContract } from '../route-contract.ts';

type Guard = Pick<DeclaredContract, 'auth' | 'openToPeers' | 'openToDeletedAccounts'>;

/** @param limit for the body, which is read here only when it is signed */
export type Authenticate = (guard: Guard, request: IncomingRequest, limit: BodyLimit) => Promise<Caller>;

/** The holder of a peer's token that is genuine and has not expired. */
export interface PeerVerdict {
  readonly uid: Uid;
  readonly peerId: PeerId;
  /** False once the peer is revoked, or its account deleted. */
  readonly isActive: boolean;
}

/** The checks that domains provide. */
export interface AuthenticateHooks {
  /** Whose token it is; undefined for one that is not good. Without it there are no peers. */
  peerOf?(token: string): Promise<PeerVerdict | undefined>;
  isAccountDeleted(uid: Uid): Promise<boolean>;
}

type Needed = Pick<Services, 'cognitoTokens' | 'secrets' | 'stripeSignatures' | 'metrics'>;

/** Authenticates the caller. Missing credentials are `auth_required`, bad ones `invalid_token` (contract, "Auth"). */
export function createAuthenticate(services: Needed, hooks: AuthenticateHooks): Authenticate {
  const { cognitoTokens, secrets, stripeSignatures, metrics } = services;

  const user = async (token: string, guard: Guard): Promise<Caller> => {
    if (guard.openToPeers === true && hooks.peerOf !== undefined && isPeerToken(token)) return peer(token, guard);
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

  const peer = async (token: string, { openToDeletedAccounts }: Guard): Promise<PeerCaller> => {
    const verdict = await hooks.peerOf?.(token);
    if (verdict === undefined) throw invalidToken();
    const { uid, peerId, isActive } = verdict;
    if (isActive) return { kind: 'peer', uid, peerId };
    // An account's deletion begins with its peers; they are told what became of them as the user is.
    if (openToDeletedAccounts !== true && (await hooks.isAccountDeleted(uid))) throw accountDeleted();
    throw invalidToken();
  };

  const machine = async (secret: TokenName, token: string | undefined): Promise<void> => {
    if (token === undefined) throw authRequired();
    if (await secrets.isToken(secret, token)) return;
    metrics.count('MachineTokenRefused', { guard: GUARDS[secret] });
    throw invalidToken();
  };

  return async (guard, request, limit) => {
    const bearer = bearerToken(request.header('authorization'));
    switch (guard.auth) {
      case 'public':
        return { kind: 'anonymous' };
      case 'cognito-optional':
        return bearer === undefined ? { kind: 'anonymous' } : user(bearer, guard);
      case 'cognito':
        if (bearer === undefined) throw authRequired();
        return user(bearer, guard);
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

/** Peers' tokens name their type (RFC 9068, 2.1), and Cognito's never this one. Whether it is good is checked later. */
function isPeerToken(token: string): boolean {
  const header = token.slice(0, Math.min(token.indexOf('.') + 1, LONGEST_HEADER));
  return /"typ" *: *"at\+jwt"/i.test(Buffer.from(header, 'base64url').toString('latin1'));
}

const LONGEST_HEADER = 512;

export function accountDeleted(): ApiError {
  return new ApiError('account_deleted', 'This account has been deleted.');
}

function authRequired(): ApiError {
  return new ApiError('auth_required', 'Please sign in first.', { headers: { 'WWW-Authenticate': 'Bearer' } });
}

function invalidToken(): ApiError {
  return new ApiError('invalid_token', 'Your sign-in has expired. Please sign in again.', {
    headers: { 'WWW-Authenticate': 'Bearer error="invalid_token"' },
  });
}
