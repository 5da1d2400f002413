import type { RelayErrorCode, RelayEvent } from '@autowatering/relay-protocol';

/** Codes of this client besides the server's. */
export type ClientErrorCode =
  | RelayErrorCode
  /** The platform lacks Ed25519 or X25519. */
  | 'no_curves'
  /** The server did not prove that it holds a pinned key. */
  | 'server_identity'
  /** The client was closed. */
  | 'closed'
  /** The peer may not connect again: see the state's reason. */
  | 'refused'
  /** The token route refused the peer. */
  | 'token_refused'
  /** The connection ended, or an answer did not come in time. */
  | 'lost'
  /** The answer of a REST route could not be read, or was an error. */
  | 'http'
  /** A handler of the application threw. */
  | 'handler'
  /** The application's store failed. */
  | 'store';

interface Facts {
  readonly cause?: unknown;
  /** Seconds. */
  readonly retryAfter?: number | undefined;
  /** With `clock_skew`: the server's time. */
  readonly time?: number | undefined;
}

/** Everything that goes wrong here has a code to decide by; the message is for a developer. */
export class RelayError extends Error {
  override readonly name: string = 'RelayError';
  readonly code: ClientErrorCode;
  readonly retryAfter: number | undefined;
  readonly time: number | undefined;

  constructor(code: ClientErrorCode, message: string, { cause, retryAfter, time }: Facts = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.retryAfter = retryAfter;
    this.time = time;
  }
}

/** Somebody else was faster: their event, and the seq to publish against after merging. */
export class ConflictError extends RelayError {
  override readonly name = 'ConflictError';
  /** Null if the event that won is gone by now. */
  readonly winner: RelayEvent | null;
  readonly seq: number;

  constructor(winner: RelayEvent | null, seq: number) {
    super('conflict', 'Another event was published first.');
    this.winner = winner;
    this.seq = seq;
  }
}
