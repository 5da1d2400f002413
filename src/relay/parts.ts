import type { Services } from '../platform/services.ts';
import { createConnections } from './delivery/connections-api.ts';
import { createDelivery, type Delivery } from './delivery/deliver.ts';
import { createOnlineStore, type OnlineStore } from './delivery/online-store.ts';
import { createIdentityKeys, type IdentityKeys } from './identity-keys.ts';
import { createLogStore, type LogStore } from './log/log-store.ts';
import { createPublish, type PublishEvents } from './log/publish.ts';
import { createReadPage } from './log/read-log.ts';
import { createStreams, type Streams } from './log/streams.ts';
import { type AccountItems, createAccountItems } from './peers/account-items.ts';
import { createCursorList, type ListCursors } from './peers/cursor-list.ts';
import { createPeerStore, type PeerStore } from './peers/peer-store.ts';
import { type AccountConnections, createAccountConnections } from './session/store/account-connections.ts';
import { createConnectionStore } from './session/store/connection-store.ts';
import { createTokenStore, type TokenStore } from './tokens/token-store.ts';

/** What the relay works with over HTTP. */
export interface RelayParts {
  readonly peers: PeerStore;
  readonly items: AccountItems;
  readonly listCursors: ListCursors;
  readonly tokens: TokenStore;
  readonly keys: IdentityKeys;
  readonly online: OnlineStore;
  readonly accountConnections: AccountConnections;
  readonly delivery: Delivery;
  readonly logs: LogStore;
  readonly streams: Streams;
  readonly publish: PublishEvents;
  readonly readPage: ReturnType<typeof createReadPage>['readPage'];
}

export function createRelayParts(services: Services): RelayParts {
  const peers = createPeerStore(services);
  const gateway = createConnections(services);
  const delivery = createDelivery(services, gateway);
  return {
    peers,
    items: createAccountItems(services),
    listCursors: createCursorList(services),
    tokens: createTokenStore(services, peers),
    keys: createIdentityKeys(services.secrets),
    online: createOnlineStore(services),
    accountConnections: createAccountConnections(services, createConnectionStore(services), gateway),
    delivery,
    logs: createLogStore(services),
    streams: createStreams(services),
    publish: createPublish(services, delivery),
    readPage: createReadPage(services).readPage,
  };
}
