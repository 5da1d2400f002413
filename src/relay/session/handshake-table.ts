import type { RelayErrorCode } from '@autowatering/relay-protocol';
import type { FrameKind } from '../frames/read-plain-frame.ts';

/** `connected`: nothing was said yet. `greeted`: server_hello was sent. A connection that is not known is `closed`. */
export const CONNECTION_STATES = ['connected', 'greeted', 'established', 'closed'] as const;
export type ConnectionState = (typeof CONNECTION_STATES)[number];

/** What a frame leads to. Each step can still refuse it for what it says. */
export type Action =
  /** Answer with server_hello. */
  | { readonly do: 'greet' }
  /** Check the peer's proof and establish the session. */
  | { readonly do: 'authenticate' }
  /** Open the sealed frame and serve it. */
  | { readonly do: 'serve' }
  /** Say why and close the connection. */
  | { readonly do: 'refuse'; readonly code: RefusalCode }
  /** Say what is wrong; after some of these the session ends. */
  | { readonly do: 'fault'; readonly code: RefusalCode }
  /** Say nothing, and see to it that the connection ends. */
  | { readonly do: 'close' };

const refuse = (code: RefusalCode) => ({ do: 'refuse', code }) as const;
const fault = (code: RefusalCode) => ({ do: 'fault', code }) as const;
const close = { do: 'close' } as const;

/** The handshake: what every kind of frame leads to in every state. Nothing is forgiven before a session exists. */
export const HANDSHAKE = {
  connected: {
    client_hello: { do: 'greet' },
    client_auth: refuse('out_of_turn'),
    sealed: refuse('out_of_turn'),
    malformed: refuse('malformed'),
    unknown: refuse('out_of_turn'),
    unreadable: refuse('malformed'),
    too_large: refuse('too_large'),
  },
  greeted: {
    client_hello: refuse('out_of_turn'),
    client_auth: { do: 'authenticate' },
    sealed: refuse('out_of_turn'),
    malformed: refuse('malformed'),
    unknown: refuse('out_of_turn'),
    unreadable: refuse('malformed'),
    too_large: refuse('too_large'),
  },
  established: {
    client_hello: refuse('out_of_turn'),
    client_auth: refuse('out_of_turn'),
    sealed: { do: 'serve' },
    malformed: fault('malformed'),
    unknown: fault('unknown_frame'),
    unreadable: fault('malformed'),
    too_large: fault('too_large'),
  },
  closed: {
    client_hello: close,
    client_auth: close,
    sealed: close,
    malformed: close,
    unknown: close,
    unreadable: close,
    too_large: close,
  },
} as const satisfies Readonly<Record<ConnectionState, Readonly<Record<FrameKind, Action>>>>;

/** For developers; clients decide by the code. */
export const REFUSALS = {
  clock_skew: "The peer's clock is more than five minutes off.",
  bad_key: 'This key is not good for a key exchange.',
  nonce_reused: 'This nonce was used before.',
  unknown_peer: 'There is no such peer, or it was revoked.',
  bad_signature: 'The proof does not fit this handshake.',
  unsupported: 'Only version 1 with A256GCM is spoken here.',
  out_of_turn: 'This frame is not expected now.',
  handshake_timeout: 'The handshake took longer than ten seconds.',
  malformed: "The frame can't be read.",
  too_large: 'The frame is too large.',
  unknown_frame: 'There is no such frame.',
  unavailable: 'This does not work at the moment. Please try again later.',
} as const satisfies Partial<Readonly<Record<RelayErrorCode, string>>>;
export type RefusalCode = keyof typeof REFUSALS;
