import type { Services } from '../platform/services.ts';
import { createIdentityKeys, type IdentityKeys } from './identity-keys.ts';
import type { PeerDelivery } from './peers/announcements.ts';
import { createPeerStore, type PeerStore } from './peers/peer-store.ts';
import { createPresenceStore, type PresenceStore } from './peers/presence-store.ts';
import { createTokenStore, type TokenStore } from './tokens/token-store.ts';

/** What the relay's routes work with. */
export interface RelayParts {
  readonly peers: PeerStore;
  readonly presence: PresenceStore;
  readonly tokens: TokenStore;
  readonly keys: IdentityKeys;
  readonly delivery: PeerDelivery;
}

export function createRelayParts(services: Services): RelayParts {
  const peers = createPeerStore(services);
  return {
    peers,
    presence: createPresenceStore(services),
    tokens: createTokenStore(services, peers),
    keys: createIdentityKeys(services.secrets),
    delivery: { toAccount: async () => undefined, bye: async () => undefined },
  };
}
