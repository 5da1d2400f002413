import { randomUUID } from 'node:crypto';
import type { Answer, Backend, CallOptions } from './backend.ts';
import { newPeerIdentity, type PeerIdentity, peerAssertion, registrationProof } from './relay.ts';
import { bearer, newUser } from './tokens.ts';

export const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

/** An event as a peer publishes it. */
export function newEvent(now: number, id: string = randomUUID(), fields: Readonly<Record<string, unknown>> = {}) {
  return { event_id: id, type: 'zone.changed', payload: { minutes: 5 }, sent_at: now, ...fields };
}

type Person = ReturnType<typeof newUser>;

export interface RegisteredPeer extends PeerIdentity {
  readonly owner: Person;
}

/** What people do with their phones and hubs over HTTP. */
export function peersOf(backend: Backend) {
  const register = (
    owner: Person,
    identity: Pick<PeerIdentity, 'privateKey' | 'publicKey'>,
    fields: Readonly<Record<string, unknown>> = {},
  ): Promise<Answer> =>
    backend.call('/relay/peers', {
      headers: owner.headers,
      body: {
        ...{ name: `Phone ${identity.publicKey.slice(0, 12)}`, type: 'phone' },
        ...registrationProof({ ...identity, peerId: '' }, owner.uid, backend.clock.now()),
        ...fields,
      },
    });

  const form = (path: string, fields: Readonly<Record<string, string>>, options: CallOptions = {}): Promise<Answer> =>
    backend.call(path, {
      ...options,
      headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...options.headers },
      body: new URLSearchParams(fields).toString(),
    });

  const assertion = (peer: PeerIdentity, claims: Record<string, unknown> = {}): string =>
    peerAssertion(peer, `${backend.url}/relay/token`, backend.clock.now(), claims);

  const byAssertion = (text: string): Promise<Answer> =>
    form('/relay/token', { grant_type: JWT_BEARER, assertion: text });

  return {
    register,
    form,
    assertion,
    byAssertion,
    refresh: (token: string) => form('/relay/token', { grant_type: 'refresh_token', refresh_token: token }),

    /** A registered peer. @throws Error when the registration is refused */
    async peer(owner: Person = newUser(), fields: Readonly<Record<string, unknown>> = {}): Promise<RegisteredPeer> {
      const identity = newPeerIdentity();
      const { status, body } = await register(owner, identity, fields);
      if (status !== 201) throw new Error(`The peer was not registered: ${JSON.stringify(body)}`);
      return { ...identity, peerId: body.peer.peer_id, owner };
    },

    /** New tokens by an assertion, and the headers to use the access token with. */
    async tokens(peer: PeerIdentity) {
      const { status, body } = await byAssertion(assertion(peer));
      if (status !== 200) throw new Error(`No tokens: ${JSON.stringify(body)}`);
      const { access_token: access, refresh_token: refresh } = body as Record<string, string>;
      if (access === undefined || refresh === undefined) throw new Error('The answer has no tokens');
      return { access, refresh, headers: bearer(access) };
    },

    revoke: (owner: Pick<Person, 'headers'>, peerId: string) =>
      backend.call(`/relay/peers/${peerId}/revoke`, { headers: owner.headers, body: {} }),
    list: (owner: Pick<Person, 'headers'>, query = '') =>
      backend.call(`/relay/peers${query}`, { headers: owner.headers }),
  };
}
