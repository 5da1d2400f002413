import type { Route } from '../http/define-route.ts';
import type { AliveCheck } from '../platform/aws/dynamo.ts';
import type { Services } from '../platform/services.ts';
import type { RelayParts } from './parts.ts';
import { type PeerRegistered, peerRoutes } from './peers/peer-routes.ts';
import { eventRoutes } from './rest/event-routes.ts';
import { operatorRoutes } from './rest/operator-routes.ts';
import { streamRoutes } from './rest/stream-routes.ts';
import { tokenRoutes } from './tokens/token-routes.ts';
import { createTokens } from './tokens/tokens.ts';

/** The relay's side over HTTP: peers, their tokens, and the events for networks that block WebSockets. */
export function relayRoutes(
  services: Services,
  parts: RelayParts,
  isAlive: AliveCheck,
  onPeerRegistered: PeerRegistered,
): readonly Route[] {
  return [
    ...peerRoutes(services, parts, isAlive, onPeerRegistered),
    ...tokenRoutes(services, createTokens(services, parts.peers, parts.tokens), parts.keys),
    ...streamRoutes(parts.streams),
    ...eventRoutes(parts),
    ...operatorRoutes(services, parts),
  ];
}
