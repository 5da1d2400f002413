import { type Json, MAX_PAYLOAD_BYTES } from '@autowatering/relay-protocol';
import type { Uid } from '../platform/ids.ts';
import type { Services } from '../platform/services.ts';
import { isStreamName, SERVICE_PEER } from './names.ts';
import type { RelayParts } from './parts.ts';

/** Something the service tells an account's peers. */
export interface Announcement {
  /** Names the news: what is announced twice has the same. */
  readonly eventId: string;
  readonly type: string;
  /** What it is about: a snapshot has the newest of each. */
  readonly key: string;
  readonly payload: Json;
  readonly ttlSeconds: number;
}

/**
 * Publishes an event of the service, stored and delivered like a peer's: in the stream's order, to everybody of the
 * account. What is announced at once is numbered one by one, so nothing is lost among several containers.
 *
 * @returns false when it was not published: nobody is there to tell, or a limit of the account is reached
 * @throws DependencyUnavailableError when it is not certain whether it was stored
 */
export async function announceEvent(
  { publish, peers }: Pick<RelayParts, 'publish' | 'peers'>,
  { clock }: Pick<Services, 'clock'>,
  uid: Uid,
  stream: string,
  { eventId, type, key, payload, ttlSeconds }: Announcement,
): Promise<boolean> {
  if (!isStreamName(stream)) throw new Error(`${stream} is not a stream's name`);
  if (Buffer.byteLength(JSON.stringify(payload)) > MAX_PAYLOAD_BYTES) throw new Error('the announcement is too large');
  // A transaction would find out too, but costs as much as if it wrote.
  if (!(await peers.hasActive(uid))) return false;
  const event = { event_id: eventId, type, key, payload, sent_at: clock.now(), ttl_seconds: ttlSeconds };
  const outcome = await publish({ uid, peerId: SERVICE_PEER }, { stream, clientSeq: 'next', events: [event] });
  return outcome.outcome === 'published';
}
