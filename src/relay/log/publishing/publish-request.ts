import type { NewEvent, RelayEvent } from '@autowatering/relay-protocol';
import type { Uid } from '../../../platform/ids.ts';
import type { ConnectionId, Epoch, PeerId, StreamName } from '../../names.ts';

export interface Author {
  readonly uid: Uid;
  readonly peerId: PeerId;
  /** Of a session: what it publishes is refused once the peer has a newer connection. */
  readonly connectionId?: ConnectionId;
}

/** Parsed: within the limits of the protocol for names, texts and sizes. */
export interface PublishRequest {
  readonly stream: StreamName;
  /** Of the first event. `next`: whatever comes next, for the service, whose events are authored in many places. */
  readonly clientSeq: number | 'next';
  readonly events: readonly NewEvent[];
  readonly ifSeq?: number | undefined;
}

export interface PublishedEvents {
  readonly outcome: 'published';
  /** They were stored before, by an earlier attempt to publish the same. */
  readonly isRepeated: boolean;
  readonly epoch: Epoch;
  readonly events: readonly RelayEvent[];
  /** When they were received, in milliseconds since 1970. */
  readonly time: number;
}

export type PublishOutcome =
  | PublishedEvents
  /** Somebody was faster: the event that won (null if it is gone), and the seq to publish against. */
  | { readonly outcome: 'conflict'; readonly event: RelayEvent | null; readonly seq: number }
  | { readonly outcome: 'client_seq_expected'; readonly expected: number }
  /** @param retryAfter seconds */
  | { readonly outcome: 'rate_limited'; readonly retryAfter: number }
  | { readonly outcome: 'limit_reached'; readonly limit: 'streams' | 'bytes' }
  | { readonly outcome: 'revoked' }
  /** The peer has a newer connection. */
  | { readonly outcome: 'replaced' }
  /** `sent_at` of an event is too far from our time. */
  | { readonly outcome: 'clock_skew'; readonly time: number };
