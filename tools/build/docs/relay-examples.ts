import { readFileSync } from 'node:fs';
import * as z from 'zod';

const VECTORS = new URL('../../../test/fixtures/relay/vectors.json', import.meta.url);

const Frame = z.record(z.string(), z.unknown());
const Vectors = z.object({
  vectors: z.tuple(
    [
      z.object({
        frames: z.object({
          client_hello: Frame,
          server_hello: Frame,
          client_auth: Frame,
          sealed_from_client: z.object({ frame: Frame }),
        }),
        rekey: z.object({ client_ephemeral: z.string(), server_ephemeral: z.string() }),
      }),
    ],
    z.unknown(),
  ),
});

const {
  vectors: [{ frames, rekey }],
} = Vectors.parse(JSON.parse(readFileSync(VECTORS, 'utf8')));

const STREAM = 'zones';
const EPOCH = 'm8Zf1tqkQxS3vYp0aWc7Ng';
const HEAD = { stream: STREAM, epoch: EPOCH, head: 42 };
const PEER_ID = frames.client_hello['peer_id'];
const TIME = 1_763_640_000_000;
const NEW_EVENT = {
  event_id: '5f0c8a52-0d0e-4d3c-9a44-0a2f6a3d7b11',
  type: 'zone.renamed',
  key: 'zone-1',
  payload: { name: 'Lawn' },
  sent_at: TIME,
};
const EVENT = { ...NEW_EVENT, seq: 42, peer_id: PEER_ID, client_seq: 7, received_at: TIME + 35 };
const PEER = { peer_id: PEER_ID, name: 'Ana’s phone', type: 'phone', online: true, last_seen_at: TIME };

/** One example of every message, by its name. The handshake's are from the test vectors. */
export const EXAMPLES: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  client_hello: frames.client_hello,
  server_hello: frames.server_hello,
  client_auth: frames.client_auth,
  sealed: frames.sealed_from_client.frame,
  publish: { type: 'publish', id: 1, stream: STREAM, client_seq: 7, events: [NEW_EVENT], if_seq: 30 },
  subscribe: { type: 'subscribe', id: 2, streams: [{ stream: STREAM, epoch: EPOCH, after: 40 }] },
  replay: { type: 'replay', id: 3, stream: STREAM, epoch: EPOCH, after: 40, limit: 100 },
  snapshot_request: { type: 'snapshot', id: 4, stream: STREAM },
  ack: { type: 'ack', stream: STREAM, epoch: EPOCH, seq: 42 },
  ping: { type: 'ping', id: 5 },
  peers_request: { type: 'peers', id: 6 },
  rekey: { type: 'rekey', ephemeral_key: rekey.client_ephemeral },
  session_established: {
    ...{ type: 'session_established', session_id: frames.server_hello['session_id'], peer_id: PEER_ID },
    ...{ expires_at: TIME + 7_200_000, heartbeat_seconds: 240, rekey_after_seconds: 3_600, max_frame_bytes: 32_768 },
    ...{ streams: [HEAD], peers: [PEER] },
  },
  published: {
    ...{ type: 'published', id: 1, epoch: EPOCH, events: [{ event_id: EVENT.event_id, seq: 42 }], time: TIME + 35 },
  },
  events: { type: 'events', id: 3, stream: STREAM, epoch: EPOCH, events: [EVENT] },
  subscribed: { type: 'subscribed', id: 2, streams: [HEAD] },
  snapshot: { type: 'snapshot', id: 4, stream: STREAM, epoch: EPOCH, head: 42, events: [EVENT] },
  reset: { type: 'reset', id: 3, stream: STREAM, epoch: EPOCH, head: 42, oldest: 12 },
  pong: { type: 'pong', id: 5, time: TIME + 60, heads: [HEAD] },
  peers: { type: 'peers', id: 6, peers: [PEER] },
  rekeyed: { type: 'rekeyed', generation: 1, ephemeral_key: rekey.server_ephemeral },
  event: { type: 'event', stream: STREAM, epoch: EPOCH, event: EVENT },
  presence: { type: 'presence', peer_id: PEER_ID, online: false, last_seen_at: TIME },
  peer_changed: {
    ...{ type: 'peer_changed', peer_id: PEER_ID, change: 'renamed', name: 'Ana’s phone', peer_type: 'phone' },
  },
  bye: { type: 'bye', code: 'replaced', reason: 'This peer has connected again.' },
  error: {
    ...{ type: 'error', id: 1, code: 'conflict', message: 'Another event came first.', event: EVENT, seq: 42 },
  },
};
