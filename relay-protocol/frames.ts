import type { ByeCode, RelayErrorCode } from './codes.ts';
import type { PeerType } from './limits.ts';

/** Bytes as base64url without padding. */
export type Base64Url = string;
/** Milliseconds since 1970. */
export type Time = number;
/** Chosen by the client; the answer repeats it. */
export type FrameId = number;

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

// --- Handshake, in plain text ---

export interface ClientHello {
  readonly type: 'client_hello';
  readonly version: 1;
  readonly peer_id: string;
  readonly client_nonce: Base64Url;
  readonly ephemeral_key: Base64Url;
  readonly time: Time;
  readonly cipher_suites: readonly string[];
}

export interface ServerHello {
  readonly type: 'server_hello';
  readonly version: 1;
  readonly session_id: Base64Url;
  readonly server_nonce: Base64Url;
  readonly ephemeral_key: Base64Url;
  readonly cipher_suite: 'A256GCM';
  readonly server_key_id: string;
  readonly time: Time;
  readonly signature: Base64Url;
}

export interface ClientAuth {
  readonly type: 'client_auth';
  readonly session_id: Base64Url;
  readonly signature: Base64Url;
  readonly mac: Base64Url;
}

/** Everything after the handshake: a frame below, encrypted. */
export interface SealedFrame {
  /** Generation of the keys, from 0. */
  readonly g: number;
  readonly n: Base64Url;
  readonly c: Base64Url;
}

// --- Events ---

/** An event as its author publishes it. */
export interface NewEvent {
  readonly event_id: string;
  readonly type: string;
  readonly payload: Json;
  readonly sent_at: Time;
  /** What the event is about: the newest event of each key is the snapshot. */
  readonly key?: string;
  /** Counted from the server's receipt. */
  readonly ttl_seconds?: number;
}

/** An event as everybody of the account receives it. */
export interface RelayEvent extends Omit<NewEvent, 'ttl_seconds'> {
  readonly seq: number;
  readonly peer_id: string;
  readonly client_seq: number;
  readonly received_at: Time;
  readonly expires_at?: Time;
}

export interface StreamHead {
  readonly stream: string;
  readonly epoch: string;
  readonly head: number;
}

export interface PeerView {
  readonly peer_id: string;
  readonly name: string;
  readonly type: PeerType;
  readonly online: boolean;
  readonly last_seen_at: Time | null;
}

// --- From the peer, sealed ---

export interface Publish {
  readonly type: 'publish';
  readonly id: FrameId;
  readonly stream: string;
  /** Of the first event; counts this peer's events in this stream's epoch, from 1. */
  readonly client_seq: number;
  readonly events: readonly NewEvent[];
  /** Publishes only if this is the stream's head, or, with a key, the seq of the key's newest event (0: none yet). */
  readonly if_seq?: number;
}

export interface Subscribe {
  readonly type: 'subscribe';
  readonly id: FrameId;
  readonly streams: '*' | readonly { readonly stream: string; readonly epoch?: string; readonly after?: number }[];
}

export interface Replay {
  readonly type: 'replay';
  readonly id: FrameId;
  readonly stream: string;
  readonly epoch: string;
  readonly after: number;
  readonly limit?: number;
  /** Of the page before; then `after` is not used. */
  readonly continuation?: string;
}

export interface Snapshot {
  readonly type: 'snapshot';
  readonly id: FrameId;
  readonly stream: string;
  readonly continuation?: string;
}

export interface Ack {
  readonly type: 'ack';
  readonly stream: string;
  readonly epoch: string;
  readonly seq: number;
}

export interface Ping {
  readonly type: 'ping';
  readonly id: FrameId;
}

export interface ListPeers {
  readonly type: 'peers';
  readonly id: FrameId;
}

export interface Rekey {
  readonly type: 'rekey';
  readonly ephemeral_key: Base64Url;
}

export type PeerFrame = Publish | Subscribe | Replay | Snapshot | Ack | Ping | ListPeers | Rekey;

// --- From the server, sealed unless noted ---

export interface SessionEstablished {
  readonly type: 'session_established';
  readonly session_id: Base64Url;
  readonly peer_id: string;
  readonly expires_at: Time;
  readonly heartbeat_seconds: number;
  readonly rekey_after_seconds: number;
  readonly max_frame_bytes: number;
  readonly streams: readonly StreamHead[];
  readonly peers: readonly PeerView[];
}

export interface Published {
  readonly type: 'published';
  readonly id: FrameId;
  readonly epoch: string;
  readonly events: readonly { readonly event_id: string; readonly seq: number }[];
  readonly time: Time;
}

/** A page of a replay or of what a subscriber missed. */
export interface Events {
  readonly type: 'events';
  readonly id: FrameId;
  readonly stream: string;
  readonly epoch: string;
  readonly events: readonly RelayEvent[];
  readonly continuation?: string;
}

/** Follows the pages of a `subscribe`: from here on, events arrive as they happen. */
export interface Subscribed {
  readonly type: 'subscribed';
  readonly id: FrameId;
  readonly streams: readonly StreamHead[];
}

export interface SnapshotPage {
  readonly type: 'snapshot';
  readonly id: FrameId;
  readonly stream: string;
  readonly epoch: string;
  /** The stream's head when the first page was read: replay from there. */
  readonly head: number;
  readonly events: readonly RelayEvent[];
  readonly continuation?: string;
}

/** The asked-for epoch is not the stream's, or the events are gone: begin again with a snapshot or from `oldest - 1`. */
export interface Reset {
  readonly type: 'reset';
  readonly id?: FrameId;
  readonly stream: string;
  readonly epoch: string;
  readonly head: number;
  /** The first event that is still there; head + 1 if none is. */
  readonly oldest: number;
}

export interface Pong {
  readonly type: 'pong';
  readonly id: FrameId;
  readonly time: Time;
  readonly heads: readonly StreamHead[];
}

export interface Peers {
  readonly type: 'peers';
  readonly id: FrameId;
  readonly peers: readonly PeerView[];
}

export interface Rekeyed {
  readonly type: 'rekeyed';
  readonly generation: number;
  readonly ephemeral_key: Base64Url;
}

export interface LiveEvent {
  readonly type: 'event';
  readonly stream: string;
  readonly epoch: string;
  readonly event: RelayEvent;
}

export interface Presence {
  readonly type: 'presence';
  readonly peer_id: string;
  readonly online: boolean;
  readonly last_seen_at: Time | null;
}

/** A peer was registered, renamed or revoked. */
export interface PeerChanged {
  readonly type: 'peer_changed';
  readonly peer_id: string;
  readonly change: 'registered' | 'renamed' | 'revoked';
  readonly name: string;
  readonly peer_type: PeerType;
}

/** In plain text when there is no session yet. */
export interface Bye {
  readonly type: 'bye';
  readonly code: ByeCode;
  readonly reason: string;
  /** Seconds. */
  readonly retry_after?: number;
}

/** In plain text during the handshake. */
export interface ErrorFrame {
  readonly type: 'error';
  readonly code: RelayErrorCode;
  readonly message: string;
  /** Of the frame that failed, if it could be read. */
  readonly id?: FrameId;
  /** With `clock_skew`: the server's time. */
  readonly time?: Time;
  /** With `conflict`: the event that won (null if it is gone), and the seq to publish against. */
  readonly event?: RelayEvent | null;
  readonly seq?: number;
  /** With `client_seq_expected`. */
  readonly expected?: number;
  /** With `rate_limited` and `unavailable`: seconds. */
  readonly retry_after?: number;
}

export type ServerFrame =
  | SessionEstablished
  | Published
  | Events
  | Subscribed
  | SnapshotPage
  | Reset
  | Pong
  | Peers
  | Rekeyed
  | LiveEvent
  | Presence
  | PeerChanged
  | Bye
  | ErrorFrame;
