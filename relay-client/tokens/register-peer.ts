import { fromBase64Url, type PeerType } from '@autowatering/relay-protocol';
import { textOf } from '../crypto/decoded.ts';
import { type PeerKey, registrationProof } from '../crypto/peer-key.ts';
import { RelayError } from '../errors.ts';
import { isRecord, parsed } from '../frames/record.ts';
import { type Fetch, send } from './http.ts';

export interface Registration {
  /** Of the REST API, as `https://api.example.com`. */
  readonly apiUrl: string;
  /** The user's Cognito id token. */
  readonly idToken: string;
  readonly name: string;
  readonly type: PeerType;
  readonly key: PeerKey;
  readonly fetch?: Fetch;
  readonly now?: () => number;
}

export interface Registered {
  readonly peerId: string;
  /** Where peers connect; undefined if the API does not know. */
  readonly relayUrl: string | undefined;
}

/**
 * Makes this installation a peer of the user's account. Doing it again with the same key gives the same peer.
 *
 * @throws RelayError `lost` or `http`, with the API's own code as the message
 */
export async function registerPeer(registration: Registration): Promise<Registered> {
  const { apiUrl, idToken, name, type, key, fetch = globalThis.fetch, now = Date.now } = registration;
  const uid = subjectOf(idToken);
  const ask = async (time: number) => {
    const proof = await registrationProof(key, uid, time);
    return send(fetch, `${apiUrl.replace(/\/+$/, '')}/relay/peers`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${idToken}` },
      body: JSON.stringify({ name, type, public_key: key.publicKey, time, proof }),
    });
  };
  const first = await ask(now());
  const serverTime = serverTimeIn(first.body);
  const { ok, status, body } = serverTime === undefined ? first : await ask(serverTime);
  const peerId = fieldOf(fieldOf(body, 'peer'), 'peer_id');
  const relayUrl = fieldOf(body, 'relay_url');
  if (ok && typeof peerId === 'string') {
    return { peerId, relayUrl: typeof relayUrl === 'string' ? relayUrl : undefined };
  }
  const code = fieldOf(fieldOf(body, 'error'), 'code');
  throw new RelayError('http', typeof code === 'string' ? code : `Registering was answered with ${status}.`);
}

const fieldOf = (value: unknown, name: string): unknown => (isRecord(value) ? value[name] : undefined);

/** Told when our clock is wrong. */
function serverTimeIn(body: unknown): number | undefined {
  const error = fieldOf(body, 'error');
  const time = fieldOf(fieldOf(error, 'details'), 'time');
  return fieldOf(error, 'code') === 'clock_skew' && typeof time === 'number' ? time : undefined;
}

/** The user id in a token. Whether the token is genuine is the server's matter. */
function subjectOf(idToken: string): string {
  const bytes = fromBase64Url(idToken.split('.')[1] ?? '');
  const claims = bytes === undefined ? undefined : parsed(textOf(bytes));
  const sub = isRecord(claims) ? claims['sub'] : undefined;
  if (typeof sub !== 'string') throw new RelayError('http', 'This is not an id token.');
  return sub;
}
