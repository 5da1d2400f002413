import type { TransactItems } from '../../../platform/aws/dynamo.ts';
import { ttlSeconds } from '../../../platform/clock.ts';
import type { Uid } from '../../../platform/ids.ts';
import type { Services } from '../../../platform/services.ts';
import { fields, number } from '../../../platform/shapes.ts';
import type { PeerId } from '../../names.ts';
import { markKey } from '../../table-keys.ts';
import type { LogStore } from '../log-store.ts';
import { type Chunk, DAY_MS } from '../stored-events.ts';
import { SCHEMA, type Stream } from '../stored-stream.ts';
import type { PublishedEvents, PublishRequest } from './publish-request.ts';

/** An author leaves a mark every so many events, so that no search takes more steps. */
const MARK_EVERY = 64;
/** From a mark to the publish asked for, and over all of its events if they were published one by one. */
const MOST_STEPS = MARK_EVERY + 20 + 1;

const storedMark = fields({ seq: number });

/**
 * Finds what an author published before under these numbers, however long ago: same `client_seq`, same event ids. The
 * events may have come in other batches then.
 *
 * @returns undefined if other events have these numbers, or if they are gone
 */
export async function findPublished(
  services: Pick<Services, 'config' | 'documents'>,
  logs: LogStore,
  { uid, peerId }: { uid: Uid; peerId: PeerId },
  stream: Stream,
  { clientSeq, events: asked }: { readonly clientSeq: number; readonly events: PublishRequest['events'] },
): Promise<PublishedEvents | undefined> {
  const position = stream.authors.get(peerId);
  const lastAsked = clientSeq + asked.length - 1;
  if (position === undefined || lastAsked > position.clientSeq) return undefined;
  const isFar = position.clientSeq - lastAsked > MARK_EVERY;
  let seq = (isFar ? await markBehind(services, uid, peerId, stream, lastAsked) : undefined) ?? position.seq;
  const found: Chunk[] = [];
  for (let steps = 0; steps < MOST_STEPS && seq > 0; steps += 1) {
    const known = await logs.readChunk(uid, stream, seq);
    const isOwn = known?.epoch === stream.epoch && known.peerId === peerId;
    const chunk = isOwn ? known : await logs.readBefore(uid, stream, peerId, seq);
    if (chunk === undefined) break;
    if (chunk.clientSeq <= lastAsked) found.unshift(chunk);
    if (chunk.clientSeq <= clientSeq) break;
    seq = chunk.previous;
  }
  const events = found
    .flatMap((chunk) => chunk.events)
    .filter(({ client_seq }) => client_seq >= clientSeq && client_seq <= lastAsked);
  const isSame = events.length === asked.length && events.every(({ event_id }, at) => event_id === asked[at]?.event_id);
  const [first] = found;
  if (!isSame || first === undefined) return undefined;
  return { outcome: 'published', isRepeated: true, epoch: stream.epoch, events, time: first.receivedAt };
}

/** The seq of the author's next mark at or after that event, if any. */
async function markBehind(
  { config, documents }: Pick<Services, 'config' | 'documents'>,
  uid: Uid,
  peerId: PeerId,
  stream: Stream,
  clientSeq: number,
): Promise<number | undefined> {
  const from = markKey(uid, stream.name, stream.logId, markOf(stream, peerId, clientSeq));
  const { Items: items } = await (await documents()).query({
    TableName: config.tables.relay,
    KeyConditionExpression: '#partition = :marks AND #record BETWEEN :from AND :to',
    ExpressionAttributeNames: { '#partition': 'partition', '#record': 'record' },
    ExpressionAttributeValues: {
      ':marks': from.partition,
      ':from': from.record,
      ':to': markOf(stream, peerId, Number.MAX_SAFE_INTEGER),
    },
    ConsistentRead: true,
    Limit: 1,
  });
  return items[0] === undefined ? undefined : storedMark(items[0]).seq;
}

function markOf({ epoch }: Stream, peerId: PeerId, clientSeq: number): string {
  return `${peerId}#${epoch}#${String(clientSeq).padStart(16, '0')}`;
}

/** For a publish's transaction: the mark that it leaves, if it is the one to leave one. */
export function markActions(TableName: string, uid: Uid, stream: Stream, chunk: Omit<Chunk, 'events'>): TransactItems {
  const lastClientSeq = chunk.clientSeq + chunk.lastSeq - chunk.firstSeq;
  if (Math.floor(lastClientSeq / MARK_EVERY) === Math.floor((chunk.clientSeq - 1) / MARK_EVERY)) return [];
  const key = markKey(uid, stream.name, stream.logId, markOf(stream, chunk.peerId, lastClientSeq));
  // Not with its own publish, which may expire sooner than what is found by it.
  const end = chunk.receivedAt + stream.retentionDays * DAY_MS;
  return [
    {
      Put: {
        TableName,
        Item: { ...key, seq: chunk.lastSeq, expires_at: ttlSeconds(end), schema: SCHEMA },
      },
    },
  ];
}
