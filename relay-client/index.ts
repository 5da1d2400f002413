export type { Json, NewEvent, PeerView, RelayEvent } from '@autowatering/relay-protocol';
export { type Clock, systemClock } from './clock.ts';
export type { RelayState } from './connection/state.ts';
export { platformHasCurves } from './crypto/curves.ts';
export {
  exportPeerKey,
  generatePeerKey,
  importPeerKey,
  type PeerKey,
  type PeerKeyPair,
  peerKeyOf,
  registrationProof,
} from './crypto/peer-key.ts';
export { ConflictError, RelayError } from './errors.ts';
export type { EventDraft } from './new-event.ts';
export type { Conflict, Merge, Merged } from './outbox/merging.ts';
export { memoryOutbox, type Outbox, type OutboxEntry } from './outbox/outbox.ts';
export type { Publication } from './outbox/publication.ts';
export { createRelayClient, type PublishOptions, type RelayClient, type RelayClientOptions } from './relay-client.ts';
export { givenServerKeys, memoryPins, type PinnedKeys, type PinStore, type ServerKeys } from './session/server-keys.ts';
export type { OpenSocket, RelaySocket } from './session/socket.ts';
export { type BrowserStorage, type KnownPeer, openBrowserStorage } from './storage/browser-storage.ts';
export type { IndexedDb } from './storage/indexed-db.ts';
export type { EventContext, EventHandler, StreamReset, SubscribeOptions } from './streams/handler.ts';
export { memoryPositions, type Position, type PositionStore } from './streams/positions.ts';
export { peerTokens } from './tokens/peer-tokens.ts';
export { registerPeer } from './tokens/register-peer.ts';
export type { TokenSource } from './tokens/token-source.ts';
