import { createRelayClient, type OpenSocket, type RelayClient } from '@autowatering/relay-client';
import { WebSocket } from 'ws';
import type { Target } from '../../cli/target/target.ts';
import { pinsIn } from './key-file.ts';
import type { KnownPeer } from './relay-options.ts';

/** Node has a WebSocket of its own since 22 only. */
export const nodeSocket: OpenSocket = (url, subprotocols) =>
  new WebSocket(url, subprotocols, { perMessageDeflate: false });

/** Connects the peer of a key file, and keeps it connected until it is closed. */
export function connectedPeer({ apiBaseUrl, relayUrl }: Target, known: KnownPeer): RelayClient {
  return createRelayClient({
    url: relayUrl ?? known.peer.relay_url,
    apiUrl: apiBaseUrl,
    peerId: known.peer.peer_id,
    key: known.key,
    serverKeys: pinsIn(known),
    openSocket: nodeSocket,
  });
}
