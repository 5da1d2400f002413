import { randomUUID } from 'node:crypto';
import { accountAliveCheck, accountDeletionCheck } from '../../src/account/index.ts';
import { isPeerId, isUid } from '../../src/platform/ids.ts';
import type { Services } from '../../src/platform/services.ts';
import { createIdentityKeys } from '../../src/relay/identity-keys.ts';
import { createPeerStore } from '../../src/relay/peers/peer-store.ts';
import { createRelay } from '../../src/relay/relay.ts';
import type { SessionFrame, SessionNeeds } from '../../src/relay/session/needs.ts';
import { createAccessTokens } from '../../src/relay/tokens/access-token.ts';
import { createWebSocketHandler } from '../../src/relay/websocket-events.ts';
import { type Backend, startBackend } from './backend.ts';
import { newPeerIdentity, type PeerIdentity } from './relay.ts';
import { recordingGateway } from './relay-gateway.ts';
import type { RelayFunction, RelaySide } from './relay-sessions.ts';
import { newUser } from './tokens.ts';

export interface ServedFrame {
  readonly uid: string;
  readonly connectionId: string;
  readonly frame: SessionFrame;
}

export interface RelayPeer {
  readonly uid: string;
  readonly identity: PeerIdentity;
  /** An access token. */
  readonly token: string;
}

export interface RelayBackend extends RelaySide {
  readonly backend: Backend;
  /** Frames that sessions passed on, in order. */
  readonly served: ServedFrame[];
  /** Who came and went. */
  readonly announced: { readonly peerId: string; readonly online: boolean }[];
  /** Another container of the same function; some of what it needs may be the test's. */
  anotherContainer(instead?: Partial<SessionNeeds>): RelayFunction;
  /** What sessions use in the first container. */
  readonly needs: SessionNeeds;
  newPeer(uid?: string): Promise<RelayPeer>;
  revoke(peer: RelayPeer): Promise<void>;
  deleteAccount(uid: string): Promise<void>;
  /** Items of the relay's table that are about a connection, or of a kind about a peer. */
  itemsOf(id: string, kind?: string): Promise<readonly Record<string, unknown>[]>;
  stop(): Promise<void>;
}

/**
 * A backend with the part of the relay that connections lead to. Sessions pass their frames on to the test, so that the
 * handshake and what surrounds it can be seen by themselves.
 */
export async function startRelayBackend(): Promise<RelayBackend> {
  // With the rights of the relay's function, and none of the other's.
  const own = new Map<'services', Services>();
  const backend = await startBackend(
    {},
    {
      relay(relayServices) {
        own.set('services', relayServices);
        return async () => ({ statusCode: 500 });
      },
    },
  );
  const { services: backendServices, clock } = backend;
  const services = own.get('services') ?? backendServices;
  const gateway = recordingGateway();
  const served: ServedFrame[] = [];
  const announced: { readonly peerId: string; readonly online: boolean }[] = [];
  const identity = createIdentityKeys(services.secrets);
  const accessTokens = createAccessTokens(services);
  const peers = createPeerStore(services);
  const registry = createPeerStore(backendServices);
  const serverKeys = new Map((await identity.all()).map(({ keyId, publicKey }) => [keyId, publicKey]));
  const needs: SessionNeeds = {
    ...{ connections: gateway, identity, accessTokens, peers, isAccountDeleted: accountDeletionCheck(services) },
    welcome: async () => ({ streams: [], peers: [] }),
    async serve({ uid, connectionId }, frame) {
      served.push({ uid, connectionId, frame });
    },
    async announce(_uid, peerId, online) {
      announced.push({ peerId, online });
    },
  };
  const container = (instead: Partial<SessionNeeds> = {}): RelayFunction =>
    createWebSocketHandler(services, async () => createRelay(services, { ...needs, ...instead }));
  const uidOf = (text: string) => {
    if (!isUid(text)) throw new Error('not a uid');
    return text;
  };

  return {
    ...{ backend, gateway, served, announced, needs },
    invoke: container(),
    anotherContainer: container,
    now: () => clock.now(),
    serverKey(keyId) {
      const key = serverKeys.get(keyId);
      if (key === undefined) throw new Error(`The server has no key ${keyId}`);
      return key;
    },
    async newPeer(uid = randomUUID()) {
      const { publicKey, privateKey } = newPeerIdentity();
      const wanted = { name: `Phone ${publicKey.slice(0, 8)}`, type: 'phone', publicKey } as const;
      const made = await registry.register(uidOf(uid), wanted, accountAliveCheck(services), clock.now());
      if (made.outcome !== 'registered') throw new Error(made.outcome);
      const { peerId } = made.peer;
      return { uid, identity: { peerId, publicKey, privateKey }, token: await accessTokens.issue(uidOf(uid), peerId) };
    },
    async revoke({ uid, identity: { peerId } }) {
      if (!isPeerId(peerId)) throw new Error('not a peer id');
      await registry.revoke(uidOf(uid), peerId, clock.now());
    },
    async deleteAccount(uid) {
      const user = newUser({ sub: uid });
      const { status } = await backend.call('/deleteMyAccount', {
        headers: user.headers,
        body: { confirmText: 'DELETE' },
      });
      if (status >= 300) throw new Error(`The account's deletion was answered ${status}`);
    },
    async itemsOf(id, kind = '') {
      const items = await backend.scan('relay');
      return items.filter(({ partition, record }) =>
        kind === '' ? String(partition).includes(id) : String(record).startsWith(kind) && String(record).includes(id),
      );
    },
    stop: () => backend.stop(),
  };
}
