import { accountDeletionCheck } from './account/index.ts';
import { once } from './platform/once.ts';
import type { Services } from './platform/services.ts';
import { createConnections } from './relay/delivery/connections-api.ts';
import { createDelivery } from './relay/delivery/deliver.ts';
import { createIdentityKeys } from './relay/identity-keys.ts';
import { createSessionFrames } from './relay/log/session-frames.ts';
import { createWelcome } from './relay/log/welcome.ts';
import { createPeerStore } from './relay/peers/peer-store.ts';
import { createRelay } from './relay/relay.ts';
import { createAccessTokens } from './relay/tokens/access-token.ts';
import { createWebSocketHandler, type WebSocketEvent, type WebSocketResult } from './relay/websocket-events.ts';

/** Puts the relay's function together, for API Gateway's WebSocket events. */
export function createRelayFunction(services: Services): (event: WebSocketEvent) => Promise<WebSocketResult> {
  const relay = once(async () => {
    const connections = createConnections(services);
    const delivery = createDelivery(services, connections);
    return createRelay(services, {
      connections,
      identity: createIdentityKeys(services.secrets),
      accessTokens: createAccessTokens(services),
      peers: createPeerStore(services),
      isAccountDeleted: accountDeletionCheck(services),
      welcome: createWelcome(services),
      serve: createSessionFrames(services, delivery, connections),
      async announce(uid, peerId, online) {
        const frame = { type: 'presence', peer_id: peerId, online, last_seen_at: services.clock.now() } as const;
        await delivery.toAccount(uid, frame, { except: peerId });
      },
    });
  });
  return createWebSocketHandler(services, relay);
}
