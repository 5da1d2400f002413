import type { SealedFrame, ServerFrame, ServerHello } from '@autowatering/relay-protocol';
import { isRecord } from './record.ts';

type Check = (value: unknown) => boolean;

const text: Check = (value) => typeof value === 'string';
const whole: Check = (value) => Number.isSafeInteger(value);
const flag: Check = (value) => typeof value === 'boolean';
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
const record =
  (fields: Readonly<Record<string, Check>>): Check =>
  (value) =>
    isRecord(value) && Object.entries(fields).every(([name, check]) => check(value[name]));

const event = record({
  event_id: text,
  type: text,
  sent_at: whole,
  seq: whole,
  peer_id: text,
  client_seq: whole,
  received_at: whole,
  key: optional(text),
  expires_at: optional(whole),
});
const head = record({ stream: text, epoch: text, head: whole });
const peer = record({ peer_id: text, name: text, type: text, online: flag, last_seen_at: orNull(whole) });
const page = { id: whole, stream: text, epoch: text, events: listOf(event), continuation: optional(text) };

/** Unknown fields and codes are allowed: a newer server may send them. */
const FRAMES: { readonly [Type in ServerFrame['type']]: Check } = {
  session_established: record({
    session_id: text,
    peer_id: text,
    expires_at: whole,
    heartbeat_seconds: whole,
    rekey_after_seconds: whole,
    max_frame_bytes: whole,
    streams: listOf(head),
    peers: listOf(peer),
  }),
  published: record({ id: whole, epoch: text, events: listOf(record({ event_id: text, seq: whole })), time: whole }),
  events: record(page),
  subscribed: record({ id: whole, streams: listOf(head) }),
  snapshot: record({ ...page, head: whole }),
  reset: record({ id: optional(whole), stream: text, epoch: text, head: whole, oldest: whole }),
  pong: record({ id: whole, time: whole, heads: listOf(head) }),
  peers: record({ id: whole, peers: listOf(peer) }),
  rekeyed: record({ generation: whole, ephemeral_key: text }),
  event: record({ stream: text, epoch: text, event }),
  presence: record({ peer_id: text, online: flag, last_seen_at: orNull(whole) }),
  peer_changed: record({ peer_id: text, change: text, name: text, peer_type: text }),
  bye: record({ code: text, reason: text, retry_after: optional(whole) }),
  error: record({
    code: text,
    message: text,
    id: optional(whole),
    time: optional(whole),
    event: optional(orNull(event)),
    seq: optional(whole),
    expected: optional(whole),
    retry_after: optional(whole),
  }),
};

/** Whether a value is a frame of the server that this version knows. */
export function isServerFrame(value: unknown): value is ServerFrame {
  if (!isRecord(value)) return false;
  const { type } = value;
  return isFrameType(type) && FRAMES[type](value);
}

const isFrameType = (type: unknown): type is ServerFrame['type'] =>
  typeof type === 'string' && Object.hasOwn(FRAMES, type);

const serverHello = record({
  version: (value) => value === 1,
  session_id: text,
  server_nonce: text,
  ephemeral_key: text,
  cipher_suite: (value) => value === 'A256GCM',
  server_key_id: text,
  time: whole,
  signature: text,
});
export const isServerHello = (value: unknown): value is ServerHello =>
  isRecord(value) && value['type'] === 'server_hello' && serverHello(value);

const sealed = record({ g: whole, n: text, c: text });
export const isSealedFrame = (value: unknown): value is SealedFrame => sealed(value);
