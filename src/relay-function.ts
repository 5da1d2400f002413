import { accountDeletionCheck } from './account/index.ts';
import { inBackground, once } from './platform/once.ts';
import type { Services } from './platform/services.ts';
import { createConnections } from './relay/delivery/connections-api.ts';
import { createIdentityKeys } from './relay/identity-keys.ts';
import { createPeerStore } from './relay/peers/peer-store.ts';
import { createRelay } from './relay/relay.ts';
import { createAccessTokens } from './relay/tokens/access-token.ts';
import { createWebSocketHandler, type WebSocketEvent, type WebSocketResult } from './relay/websocket-events.ts';

/**
 * Puts the relay's function together, for API Gateway's WebSocket events. What a new connection needs is loaded at once;
 * what its messages need follows with them.
 */
export function createRelayFunction(services: Services): (event: WebSocketEvent) => Promise<WebSocketResult> {
  const connections = createConnections(services);
  const service = once(async () => {
    const { createSessionService } = await import('./relay/session-service.ts');
    return createSessionService(services, connections);
  });
  const relay = createRelay(services, {
    connections,
    identity: createIdentityKeys(services.secrets),
    accessTokens: createAccessTokens(services),
    peers: createPeerStore(services),
    isAccountDeleted: accountDeletionCheck(services),
    welcome: async (uid) => (await service()).welcome(uid),
    serve: async (session, frame) => (await service()).serve(session, frame),
    announce: async (uid, peerId, online) => (await service()).announce(uid, peerId, online),
    prepare() {
      inBackground(service);
      inBackground(services.secrets.values);
    },
  });
  // Every event takes the tables: their client is loaded before the first one comes.
  inBackground(services.documents);
  return createWebSocketHandler(services, async () => relay);
}
