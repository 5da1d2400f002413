import { toBase64Url, utf8 } from '@autowatering/relay-protocol';
import { systemClock } from '../clock.ts';
import type { PeerKey } from '../crypto/peer-key.ts';
import { RelayError } from '../errors.ts';
import { isRecord } from '../frames/record.ts';
import { type Fetch, getJson, send } from './http.ts';
import type { TokenSource } from './token-source.ts';

const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const ASSERTION_SECONDS = 4 * 60;
/** A token is renewed so long before it ends. */
const SPARE_MS = 2 * 60_000;
const SKEW_MS = 60_000;

export interface PeerTokensOptions {
  /** Of the REST API, as `https://api.example.com`. */
  readonly apiUrl: string;
  readonly peerId: string;
  readonly key: PeerKey;
  readonly fetch?: Fetch;
  /** Milliseconds since 1970, as correct as is known. */
  readonly now?: () => number;
}

interface Tokens {
  readonly access: string;
  readonly refresh: string | undefined;
  /** By our clock. */
  readonly until: number;
}

/** Gets access tokens by signing that this is the peer (RFC 7523), and renews them before they end. */
export function peerTokens(options: PeerTokensOptions): TokenSource {
  const { peerId, key, fetch = globalThis.fetch, now = systemClock.now } = options;
  const api = options.apiUrl.replace(/\/+$/, '');
  const url = `${api}/relay/token`;
  let tokens: Tokens | undefined;
  let renewal: Promise<Tokens> | undefined;
  /** What the server's clock is ahead of ours, once it mattered. */
  let skew = 0;

  const ask = async (form: Readonly<Record<string, string>>): Promise<Tokens> => {
    const asked = now();
    const { status, body } = await send(fetch, url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(form).toString(),
    });
    if (!isRecord(body)) throw new RelayError('http', `The token route answered ${status}.`);
    const { access_token: access, refresh_token: refresh, expires_in: seconds, error } = body;
    if (typeof error === 'string') {
      const isFinal = error === 'invalid_grant' || error === 'unauthorized_client';
      throw new RelayError(isFinal ? 'token_refused' : 'http', `The token route refused: ${error}.`);
    }
    if (typeof access !== 'string' || typeof seconds !== 'number') {
      throw new RelayError('http', `The token route answered ${status} without a token.`);
    }
    return { access, refresh: typeof refresh === 'string' ? refresh : undefined, until: asked + seconds * 1000 };
  };

  const signed = async () =>
    ask({ grant_type: JWT_BEARER, assertion: await assertion(key, peerId, url, now() + skew) });

  const byAssertion = async (): Promise<Tokens> => {
    try {
      return await signed();
    } catch (error) {
      if (!(error instanceof RelayError) || error.code !== 'token_refused') throw error;
      // A clock that is off looks the same as a peer that is revoked.
      const off = (await serverTime(fetch, api)) - now() - skew;
      if (Math.abs(off) < SKEW_MS) throw error;
      skew += off;
      return signed();
    }
  };

  const renewed = async (): Promise<Tokens> => {
    const refresh = tokens?.refresh;
    // Used once at most, answered or not: a second use would look like theft and end everything that came from it.
    tokens = undefined;
    if (refresh === undefined) return byAssertion();
    try {
      return await ask({ grant_type: 'refresh_token', refresh_token: refresh });
    } catch {
      return byAssertion();
    }
  };

  return async (how) => {
    if (!how.refresh && tokens !== undefined && now() < tokens.until - SPARE_MS) return tokens.access;
    renewal ??= renewed().finally(() => {
      renewal = undefined;
    });
    tokens = await renewal;
    return tokens.access;
  };
}

/** Milliseconds since 1970 by the API's clock. */
async function serverTime(fetch: Fetch, api: string): Promise<number> {
  const body = await getJson(fetch, `${api}/health`);
  const time = isRecord(body) && typeof body['timestamp'] === 'string' ? Date.parse(body['timestamp']) : Number.NaN;
  if (Number.isNaN(time)) throw new RelayError('http', 'The API did not tell its time.');
  return time;
}

/** A JWT by which a peer asks for tokens; good for four minutes and one use. */
export async function assertion(key: PeerKey, peerId: string, audience: string, now: number): Promise<string> {
  const seconds = Math.floor(now / 1000);
  const claims = {
    iss: peerId,
    sub: peerId,
    aud: audience,
    iat: seconds,
    exp: seconds + ASSERTION_SECONDS,
    jti: crypto.randomUUID(),
  };
  const [header, body] = [{ alg: 'EdDSA', typ: 'JWT' }, claims].map((part) => toBase64Url(utf8(JSON.stringify(part))));
  const signed = `${header}.${body}`;
  return `${signed}.${toBase64Url(await key.sign(utf8(signed)))}`;
}
