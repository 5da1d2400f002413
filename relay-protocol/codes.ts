/** Codes of `error` frames. The message is for a developer; clients decide by the code. */
export const ERROR_CODES = [
  // Handshake: the connection is closed afterwards.
  'clock_skew',
  'bad_key',
  'nonce_reused',
  'unknown_peer',
  'bad_signature',
  'unsupported',
  'out_of_turn',
  'handshake_timeout',
  // Any time.
  'malformed',
  'too_large',
  'unknown_frame',
  'unavailable',
  // In a session.
  'not_found',
  'conflict',
  'client_seq_expected',
  'rate_limited',
  'limit_reached',
  'bad_continuation',
] as const;
export type RelayErrorCode = (typeof ERROR_CODES)[number];

/** Codes of `bye`, sent before the server closes a session. */
export const BYE_CODES = [
  'replaced',
  'revoked',
  'account_deleted',
  'rekey_overdue',
  'too_many_faults',
  'slow_consumer',
  'expired',
  'shutdown',
] as const;
export type ByeCode = (typeof BYE_CODES)[number];

/** After these a client must not reconnect on its own. */
export const FINAL_BYE_CODES: readonly ByeCode[] = ['replaced', 'revoked', 'account_deleted'];
