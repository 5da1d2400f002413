import { randomUUID } from 'node:crypto';
import { accountAliveCheck, accountDeletionCheck } from '../../../src/account/index.ts';
import type { Services } from '../../../src/platform/services.ts';
import { createDelivery } from '../../../src/relay/delivery/deliver.ts';
import { createIdentityKeys } from '../../../src/relay/identity-keys.ts';
import { createSessionFrames } from '../../../src/relay/log/session-frames.ts';
import { createWelcome } from '../../../src/relay/log/welcome.ts';
import { isPeerId } from '../../../src/relay/names.ts';
import { createPeerStore } from '../../../src/relay/peers/peer-store.ts';
import { createRelay } from '../../../src/relay/relay.ts';
import { createAccessTokens } from '../../../src/relay/tokens/access-token.ts';
import { createWebSocketHandler } from '../../../src/relay/websocket-events.ts';
import { type Backend, startBackend } from '../backend.ts';
import { newPeerIdentity, type PeerIdentity } from '../relay.ts';
import { uidOf } from '../relay-account.ts';
import { recordingGateway } from '../relay-gateway.ts';
import type { RelayFunction, RelaySide } from '../relay-sessions.ts';

export interface WholeRelay extends RelaySide {
  /** Another container. */
  anotherContainer(): RelayFunction;
  newPeer(uid: string, name: string): Promise<{ readonly identity: PeerIdentity; readonly token: string }>;
}

/** The whole of the relay's function, except that what it posts is recorded rather than sent. */
export async function wholeRelay(backend: Backend, services: Services = backend.services): Promise<WholeRelay> {
  const gateway = recordingGateway();
  const identity = createIdentityKeys(services.secrets);
  const accessTokens = createAccessTokens(services);
  const registry = createPeerStore(backend.services);
  const serverKeys = new Map((await identity.all()).map(({ keyId, publicKey }) => [keyId, publicKey]));
  const container = (): RelayFunction => {
    const delivery = createDelivery(services, gateway);
    const relay = createRelay(services, {
      ...{ connections: gateway, identity, accessTokens, peers: createPeerStore(services) },
      isAccountDeleted: accountDeletionCheck(services),
      welcome: createWelcome(services),
      serve: createSessionFrames(services, delivery),
      async announce(uid, peerId, online) {
        const frame = { type: 'presence', peer_id: peerId, online, last_seen_at: services.clock.now() } as const;
        await delivery.toAccount(uid, frame, { except: peerId });
      },
    });
    return createWebSocketHandler(services, async () => relay);
  };
  return {
    gateway,
    invoke: container(),
    anotherContainer: container,
    now: () => services.clock.now(),
    serverKey(keyId) {
      const key = serverKeys.get(keyId);
      if (key === undefined) throw new Error(`The server has no key ${keyId}`);
      return key;
    },
    async newPeer(uid = randomUUID(), name) {
      const { publicKey, privateKey } = newPeerIdentity();
      const now = services.clock.now();
      const wanted = { name, type: 'phone', publicKey } as const;
      const made = await registry.register(uidOf(uid), wanted, accountAliveCheck(services), now);
      if (made.outcome !== 'registered') throw new Error(made.outcome);
      const { peerId } = made.peer;
      if (!isPeerId(peerId)) throw new Error('not a peer id');
      return { identity: { peerId, publicKey, privateKey }, token: await accessTokens.issue(uidOf(uid), peerId) };
    },
  };
}

/** A backend with the whole of the relay's function, which has permissions and a database connection of its own. */
export async function startWholeRelay(): Promise<{ readonly backend: Backend; readonly relay: WholeRelay }> {
  const own = new Map<'services', Services>();
  const backend = await startBackend(
    {},
    {
      relay(services) {
        own.set('services', services);
        return async () => ({ statusCode: 500 });
      },
    },
  );
  return { backend, relay: await wholeRelay(backend, own.get('services')) };
}
