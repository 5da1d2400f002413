import type { RelayEvent } from '@autowatering/relay-protocol';
import type { OutboxEntry } from './outbox.ts';

/** Where a published event is in its stream's log. */
export interface Publication {
  readonly stream: string;
  readonly epoch: string;
  readonly seq: number;
  readonly event_id: string;
}

/** The event as its readers get it. @param time when the server received it, in milliseconds since 1970 */
export function publishedEvent(
  { event: own, sent }: OutboxEntry,
  peerId: string,
  seq: number,
  time: number,
): RelayEvent {
  const { ttl_seconds, ...event } = own;
  return {
    ...event,
    seq,
    peer_id: peerId,
    client_seq: sent?.clientSeq ?? 0,
    received_at: time,
    ...(ttl_seconds === undefined ? {} : { expires_at: time + ttl_seconds * 1000 }),
  };
}
