import { isUid, type Uid } from '../../ids.ts';
import { once } from '../../once.ts';
import { fetchKeySet } from './key-set.ts';

/** The claims of a verified Cognito token. An access token has no e-mail address. */
export interface UserClaims {
  readonly uid: Uid;
  /** The user's name in the user pool; not always the `sub`. */
  readonly username: string;
  readonly tokenUse: 'id' | 'access';
  /** Seconds since 1970 of the sign-in with credentials; a refresh keeps it. */
  readonly authTime?: number;
  readonly email?: string;
  readonly emailVerified?: boolean;
}

export type TokenVerdict =
  | { readonly valid: true; readonly claims: UserClaims }
  | { readonly valid: false; readonly reason: string };

export interface CognitoTokens {
  /**
   * @throws KeySetError when Cognito's keys can't be fetched, which is not the caller's fault
   */
  verify(token: string): Promise<TokenVerdict>;
  /** Fetches the key set, for a health check of whether it is reachable. */
  fetchKeys(signal?: AbortSignal): Promise<void>;
}

export class KeySetError extends Error {
  override readonly name = 'KeySetError';
}

const FETCH_MS = 2_500;
/** While Cognito's keys can't be fetched, they are requested at most this often, not by every request. */
const FETCH_AGAIN_AFTER_MS = 1_000;
/** A longer token is not one of Cognito's and not worth a signature check. */
const LONGEST_TOKEN = 8_192;

interface Options {
  readonly userPoolId: string;
  readonly clientIds: readonly string[];
  readonly jwksUri?: string;
}

export function createCognitoTokens(options: Options): CognitoTokens {
  const loaded = once(async () => {
    const { createCognitoVerifier } = await import('./cognito-verifier.ts');
    return createCognitoVerifier(options, fetcher(options.jwksUri));
  });

  return {
    async verify(token) {
      if (token.length > LONGEST_TOKEN) return { valid: false, reason: 'too_long' };
      const { verify, isKeySetFault } = await loaded();
      let payload: Awaited<ReturnType<typeof verify>>;
      try {
        payload = await verify(token);
      } catch (error) {
        if (error instanceof KeySetError) throw error;
        if (isKeySetFault(error)) throw new KeySetError("Cognito's keys are not usable", { cause: error });
        // Includes WaitPeriodNotYetEndedJwkError: another unknown key, seconds after fetching the keys did not help.
        if (error instanceof Error) return { valid: false, reason: error.name };
        throw error;
      }
      return claimsOf(payload);
    },
    async fetchKeys(signal) {
      if (options.jwksUri === undefined) await (await loaded()).hydrate();
      else await fetchOnce(options.jwksUri, signal);
    },
  };
}

function claimsOf(payload: Readonly<Record<string, unknown>>): TokenVerdict {
  const { sub, token_use: tokenUse, auth_time: authTime, email } = payload;
  const username = payload['cognito:username'] ?? payload['username'] ?? sub;
  if (typeof sub !== 'string' || !isUid(sub) || typeof username !== 'string') {
    return { valid: false, reason: 'no_subject' };
  }
  if (tokenUse !== 'id' && tokenUse !== 'access') return { valid: false, reason: 'token_use' };
  return {
    valid: true,
    claims: {
      uid: sub,
      username,
      tokenUse,
      ...(typeof authTime === 'number' ? { authTime } : {}),
      ...(typeof email === 'string' ? { email, emailVerified: payload['email_verified'] === true } : {}),
    },
  };
}

/** Fetches the key set; remembers a failure for a moment, so as not to make an outage worse. */
function fetcher(jwksUri: string | undefined): (uri: string) => Promise<ArrayBuffer> {
  let failed: { readonly at: number; readonly error: unknown } | undefined;
  return async (uri) => {
    if (failed !== undefined && performance.now() - failed.at < FETCH_AGAIN_AFTER_MS) throw failed.error;
    try {
      const keys = await fetchOnce(jwksUri ?? uri);
      failed = undefined;
      return keys;
    } catch (error) {
      failed = { at: performance.now(), error };
      throw error;
    }
  };
}

async function fetchOnce(uri: string, signal?: AbortSignal): Promise<ArrayBuffer> {
  const timeout = AbortSignal.timeout(FETCH_MS);
  try {
    return await fetchKeySet(uri, signal === undefined ? timeout : AbortSignal.any([timeout, signal]));
  } catch (error) {
    throw new KeySetError("Cognito's keys could not be fetched", { cause: error });
  }
}
