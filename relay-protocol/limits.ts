/** The name in every signed text and key of this protocol. */
export const PROTOCOL = 'autowatering-relay/1';
/** The WebSocket subprotocol that the server answers with. */
export const SUBPROTOCOL = 'autowatering.relay.v1';
/** A second subprotocol carries the access token after this prefix: browsers can't set headers. */
export const BEARER_SUBPROTOCOL_PREFIX = 'bearer.';
export const PROTOCOL_VERSION = 1;
export const CIPHER_SUITE = 'A256GCM';

export const NONCE_BYTES = 32;
export const KEY_BYTES = 32;
export const SESSION_ID_BYTES = 16;
export const SIGNATURE_BYTES = 64;
export const MAC_BYTES = 32;
/** Of AES-GCM. */
export const SEAL_NONCE_BYTES = 12;

/** Largest frame in UTF-8 bytes, sealed frames included. */
export const MAX_FRAME_BYTES = 32 * 1024;
/** A page of events ends before this size, so that it fits into API Gateway's 128 KB for a message once it is sealed. */
export const MAX_PAGE_BYTES = 90 * 1024;

export const MAX_CLOCK_SKEW_MS = 5 * 60_000;
/** From `client_hello` to `client_auth`. */
export const HANDSHAKE_MS = 10_000;
/** A connection ends after two hours (API Gateway). */
export const MAX_CONNECTION_MS = 2 * 60 * 60_000;
export const HEARTBEAT_SECONDS = 240;
export const REKEY_AFTER_SECONDS = 60 * 60;
/** How long a peer may ignore that rekeying is due. */
export const REKEY_GRACE_SECONDS = 10 * 60;
/** Frames after which a client rekeys, whatever the time. */
export const REKEY_AFTER_FRAMES = 100_000;
/** How long the old generation's keys stay good. */
export const OLD_GENERATION_MS = 60_000;
export const MAX_FAULTS = 5;

export const MAX_EVENTS_PER_PUBLISH = 20;
/** Of one event's payload as JSON in UTF-8. */
export const MAX_PAYLOAD_BYTES = 16 * 1024;
/** Of one frame's JSON: how deep it may be nested, and how many values it may hold. */
export const MAX_JSON_DEPTH = 32;
export const MAX_JSON_VALUES = 4_096;
export const DEFAULT_REPLAY_EVENTS = 100;
export const MAX_REPLAY_EVENTS = 1_000;
export const MAX_PEERS = 20;
export const MAX_STREAMS = 100;
/** Stored events of one account. */
export const MAX_ACCOUNT_BYTES = 1024 ** 3;
/** Of one peer: sustained per second, and at once. */
export const EVENTS_PER_SECOND = 20;
export const EVENTS_BURST = 100;
export const CONNECTS_PER_SECOND = 5;
export const DEFAULT_RETENTION_DAYS = 90;
export const MAX_RETENTION_DAYS = 365;

export const STREAM_NAME = /^[a-z][a-z0-9._-]{0,63}$/;
/** An event's `type`, in the same form as a stream's name. */
export const EVENT_TYPE = /^[a-z][a-z0-9._-]{0,63}$/;
/** An event id is chosen by the client: a UUID or anything like it. */
export const EVENT_ID = /^[A-Za-z0-9_-]{1,64}$/;
/** An event's `key`: what the event is about, such as a zone. Printable text. */
export const MAX_KEY_CHARACTERS = 128;
export const PEER_TYPES = ['phone', 'tablet', 'desktop', 'hub', 'service'] as const;
export type PeerType = (typeof PEER_TYPES)[number];
