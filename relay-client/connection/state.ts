import type { ByeCode } from '@autowatering/relay-protocol';

/** Why there is no connection for now. */
export type OfflineReason =
  /** No network, or the server can't be reached. */
  | 'unreachable'
  /** The connection ended without a word. */
  | 'dropped'
  /** Nothing was heard for too long. */
  | 'silent'
  /** The application closed the client. */
  | 'closed'
  | 'clock_skew'
  | ByeCode
  | (string & {});

/** Why there will be none until the application does something about it. */
export type RefusedReason =
  /** The peer was revoked. */
  | 'revoked'
  | 'account_deleted'
  /** The same peer connected elsewhere: its key is in two places, or a second tab is open. */
  | 'replaced'
  | 'unknown_peer'
  /** The server did not prove that it holds a pinned key: somebody may be in between. */
  | 'server_identity'
  | 'token_refused'
  /** The protocol's version is not spoken by the server any more. */
  | 'unsupported'
  /** The platform lacks Ed25519 or X25519. */
  | 'no_curves';

export type RelayState =
  | { readonly state: 'connecting' }
  | { readonly state: 'online'; readonly since: number }
  | { readonly state: 'offline'; readonly reason: OfflineReason; readonly retryAt?: number; readonly message?: string }
  | { readonly state: 'refused'; readonly reason: RefusedReason; readonly message: string };
