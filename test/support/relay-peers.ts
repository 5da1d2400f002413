import { randomUUID } from 'node:crypto';
import {
  type Clock,
  createRelayClient,
  generatePeerKey,
  givenServerKeys,
  type Json,
  memoryOutbox,
  memoryPositions,
  type OpenSocket,
  peerKeyOf,
  type RelayClient,
  type RelayClientOptions,
  type RelayError,
  type RelayEvent,
  type RelayState,
} from '@autowatering/relay-client';
import { fastClock } from './relay-wires.ts';
import type { SmallRelay } from './small-relay.ts';

/** A peer of a small relay, with what it keeps when its application ends. */
export async function peerOf(relay: SmallRelay, openSocket: OpenSocket, options: Partial<RelayClientOptions> = {}) {
  const peerId = options.peerId ?? randomUUID();
  const key = options.key ?? (await peerKeyOf(await generatePeerKey()));
  relay.addPeer(peerId, key.publicKey);
  const kept = { outbox: memoryOutbox(), positions: memoryPositions() };
  const clock: Clock = options.clock ?? fastClock(1);

  /** Starts the application, again if it ended. */
  const start = (more: Partial<RelayClientOptions> = {}) => {
    const client = createRelayClient({
      url: 'ws://relay.invalid',
      apiUrl: 'http://api.invalid',
      peerId,
      key,
      tokens: async () => 'token',
      serverKeys: givenServerKeys(relay.serverKeys),
      openSocket,
      clock,
      ...kept,
      ...options,
      ...more,
    });
    const states: RelayState[] = [];
    const errors: RelayError[] = [];
    client.on('state', (state) => states.push(state));
    client.on('error', (error) => errors.push(error));
    return { client, states, errors };
  };
  return { peerId, key, kept, start };
}

/** Everything of a stream that a client hands over. */
export function reading(client: RelayClient, stream: string, options: Parameters<RelayClient['subscribe']>[2] = {}) {
  const events: RelayEvent[] = [];
  const stop = client.subscribe(stream, (event) => void events.push(event), options);
  return {
    events,
    stop,
    get payloads(): Json[] {
      return events.map(({ payload }) => payload);
    },
    get seqs(): number[] {
      return events.map(({ seq }) => seq);
    },
  };
}
