import type { Uid } from '../../platform/ids.ts';
import type { Services } from '../../platform/services.ts';
import type { PeerId, StreamName } from '../names.ts';
import { accountPartition, eventsKey, newestKey, STREAM_PREFIX, streamKey, type TableKey } from '../table-keys.ts';
import { type Chunk, type Newest, toChunk, toNewest } from './stored-events.ts';
import { type Stream, toStream } from './stored-stream.ts';

/** A log in the table. */
export type LogRef = Pick<Stream, 'name' | 'logId'>;

export interface ChunksPage {
  readonly chunks: readonly Chunk[];
  /** Whether the log goes on after them. */
  readonly hasMore: boolean;
}

export interface NewestPage {
  readonly entries: readonly (Newest & { readonly key: string })[];
  readonly hasMore: boolean;
}

/** Of at most a megabyte each. */
const MOST_SEARCHED_PAGES = 20;

type Needed = Pick<Services, 'config' | 'documents'>;

/** Reads streams and their events. Strongly consistent, unless it says otherwise. */
export function createLogStore({ config, documents }: Needed) {
  const TableName = config.tables.relay;
  const newestFrom = ({ partition, record }: TableKey) => ({
    KeyConditionExpression: '#partition = :log AND #record > :after',
    ExpressionAttributeNames: { '#partition': 'partition', '#record': 'record' },
    ExpressionAttributeValues: { ':log': partition, ':after': record },
  });

  return {
    async readStream(uid: Uid, stream: StreamName): Promise<Stream | undefined> {
      const { Item: item } = await (await documents()).get({
        TableName,
        Key: streamKey(uid, stream),
        ConsistentRead: true,
      });
      return item === undefined ? undefined : toStream(item);
    },

    /** All streams of the account by name. @param mayBeStale may miss what happened a moment ago, at half the cost */
    async listStreams(uid: Uid, { mayBeStale = false } = {}): Promise<readonly Stream[]> {
      // At most 100 streams of about a kilobyte: one page.
      const { Items: items } = await (await documents()).query({
        TableName,
        KeyConditionExpression: '#partition = :account AND begins_with(#record, :prefix)',
        ExpressionAttributeNames: { '#partition': 'partition', '#record': 'record' },
        ExpressionAttributeValues: { ':account': accountPartition(uid), ':prefix': STREAM_PREFIX },
        ConsistentRead: !mayBeStale,
      });
      return items.map(toStream);
    },

    /** The publish whose last event has this seq. */
    async readChunk(uid: Uid, { name, logId }: LogRef, lastSeq: number): Promise<Chunk | undefined> {
      const { Item: item } = await (await documents()).get({
        TableName,
        Key: eventsKey(uid, name, logId, lastSeq),
        ConsistentRead: true,
      });
      return item === undefined ? undefined : toChunk(item);
    },

    /**
     * The last publish of an author before that seq, in an epoch. Reads all there is in between, up to some 20 MB: for
     * authors whose publishes in between have expired.
     */
    async readBefore(
      uid: Uid,
      { name, logId, epoch }: LogRef & Pick<Stream, 'epoch'>,
      author: PeerId,
      before: number,
    ): Promise<Chunk | undefined> {
      const client = await documents();
      let from: Record<string, unknown> | undefined;
      for (let pages = 0; pages < MOST_SEARCHED_PAGES; pages += 1) {
        const { partition, record } = eventsKey(uid, name, logId, before);
        const page = await client.query({
          TableName,
          KeyConditionExpression: '#partition = :log AND #record < :before',
          FilterExpression: 'peer_id = :author AND epoch = :epoch',
          ExpressionAttributeNames: { '#partition': 'partition', '#record': 'record' },
          ExpressionAttributeValues: { ':log': partition, ':before': record, ':author': author, ':epoch': epoch },
          ScanIndexForward: false,
          ConsistentRead: true,
          ExclusiveStartKey: from,
        });
        const [last] = page.Items;
        if (last !== undefined) return toChunk(last);
        from = page.LastEvaluatedKey;
        if (from === undefined) return undefined;
      }
      return undefined;
    },

    /** The publishes after `after`, at most `most`, in order. The first may begin at or before it. */
    async readChunks(uid: Uid, { name, logId }: LogRef, after: number, most: number): Promise<ChunksPage> {
      const { Items: items, LastEvaluatedKey: last } = await (await documents()).query({
        TableName,
        ...newestFrom(eventsKey(uid, name, logId, after)),
        ConsistentRead: true,
        Limit: most,
      });
      return { chunks: items.map(toChunk), hasMore: last !== undefined };
    },

    /** The oldest publish that is still there. */
    async readOldest(uid: Uid, { name, logId }: LogRef, now: number): Promise<Chunk | undefined> {
      const client = await documents();
      let from: Record<string, unknown> | undefined;
      do {
        const page = await client.query({
          TableName,
          KeyConditionExpression: '#partition = :log',
          FilterExpression: 'gone_at > :now',
          ExpressionAttributeNames: { '#partition': 'partition' },
          ExpressionAttributeValues: { ':log': eventsKey(uid, name, logId, 0).partition, ':now': now },
          ConsistentRead: true,
          // Expired items are usually removed already, and then the first one is it.
          Limit: from === undefined ? 1 : 500,
          ExclusiveStartKey: from,
        });
        const [first] = page.Items;
        if (first !== undefined) return toChunk(first);
        from = page.LastEvaluatedKey;
      } while (from !== undefined);
      return undefined;
    },

    /** The newest events by key, after that key; expired ones too. */
    async readNewest(uid: Uid, { name, logId }: LogRef, after: string | undefined, most: number): Promise<NewestPage> {
      const { partition } = newestKey(uid, name, logId, '');
      const { Items: items, LastEvaluatedKey: last } = await (await documents()).query({
        TableName,
        ...(after === undefined
          ? {
              KeyConditionExpression: '#partition = :log',
              ExpressionAttributeNames: { '#partition': 'partition' },
              ExpressionAttributeValues: { ':log': partition },
            }
          : newestFrom({ partition, record: after })),
        ConsistentRead: true,
        Limit: most,
      });
      return {
        entries: items.map((item) => ({ ...toNewest(item), key: String(item['record']) })),
        hasMore: last !== undefined,
      };
    },
  };
}

export type LogStore = ReturnType<typeof createLogStore>;
