import type { RelayEvent } from '@autowatering/relay-protocol';
import type { TransactItems } from '../../../platform/aws/dynamo.ts';
import { SERVICE_PEER } from '../../names.ts';
import { eventsKey, logKey, newestKey, streamKey } from '../../table-keys.ts';
import { type AccountLimits, accountAction, peersCheck } from '../account-limits.ts';
import { type Chunk, fromChunk, fromNewest } from '../stored-events.ts';
import { fromStream, SCHEMA, type Stream, storedAuthors, storedPosition } from '../stored-stream.ts';
import { type AuthorState, countAction } from './publish-rate.ts';
import type { Author } from './publish-request.ts';
import { markActions } from './repeated-publish.ts';

/** All that one publish writes. */
export interface Publication {
  readonly author: Author;
  /** The author as last seen, and the number of events that count against its rate. */
  readonly authorState: AuthorState | undefined;
  /** The stream before; undefined: this publish makes it. */
  readonly before: Stream | undefined;
  readonly after: Stream;
  readonly chunk: Omit<Chunk, 'events'>;
  readonly events: readonly RelayEvent[];
  /** `events` as stored. */
  readonly text: string;
  /** Of events with keys: the seq that each key's newest event must have. */
  readonly keysIfSeq: number | undefined;
  readonly now: number;
}

/** An action, and what it means when its condition fails. */
export interface NamedAction {
  readonly name: 'stream' | 'author' | 'account' | 'key' | 'other';
  readonly action: TransactItems[number];
}

/** The actions of a publish's transaction: no more than it takes, because each costs twice its size. */
export function publishActions(
  TableName: string,
  publication: Publication,
  limits: AccountLimits,
): readonly NamedAction[] {
  const { author, authorState, before, after, chunk, events, text, now } = publication;
  const { uid } = author;
  const allotted = after.allotted - (before?.allotted ?? 0);
  const isService = author.peerId === SERVICE_PEER;
  return [
    {
      name: 'stream',
      action: before === undefined ? create(TableName, publication) : advance(TableName, before, publication),
    },
    // A transaction has one action per item, so the account's own action asks for the service when there is one.
    ...(isService
      ? allotted === 0
        ? [{ name: 'author' as const, action: peersCheck(TableName, uid) }]
        : []
      : [{ name: 'author' as const, action: countAction(TableName, author, events.length, authorState, now) }]),
    {
      name: 'other',
      action: {
        Put: {
          TableName,
          Item: { ...eventsKey(uid, after.name, after.logId, chunk.lastSeq), ...fromChunk(chunk, text) },
        },
      },
    },
    ...(before === undefined
      ? [
          {
            name: 'other' as const,
            action: {
              Put: { TableName, Item: { ...logKey(uid, after.name, after.logId), created_at: now, schema: SCHEMA } },
            },
          },
        ]
      : []),
    ...(allotted === 0
      ? []
      : [
          {
            name: 'account' as const,
            action: accountAction(
              TableName,
              uid,
              { allotted, needsPeers: isService, ...(before === undefined && { streams: 1 }) },
              limits,
            ),
          },
        ]),
    ...newestActions(TableName, publication),
    ...markActions(TableName, uid, after, chunk).map((action) => ({ name: 'other' as const, action })),
  ];
}

function create(TableName: string, { author: { uid }, after }: Publication): TransactItems[number] {
  return {
    Put: {
      TableName,
      Item: { ...streamKey(uid, after.name), ...fromStream(after) },
      ConditionExpression: 'attribute_not_exists(log_id)',
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    },
  };
}

function advance(TableName: string, before: Stream, { author, after }: Publication): TransactItems[number] {
  const position = after.authors.get(author.peerId);
  if (position === undefined) throw new Error('a publish moves its author');
  const stored = storedPosition(position);
  const allots = after.allotted !== before.allotted;
  const moveAuthor = before.areAuthorsStored ? 'authors.#peer = :author' : 'authors = :authors, authors_epoch = :epoch';
  return {
    Update: {
      TableName,
      Key: streamKey(author.uid, after.name),
      UpdateExpression: `SET head = :head, written = :written, ${moveAuthor}${allots ? ', allotted = :allotted' : ''}`,
      // All that the events depend on. Whatever else the stream holds changes with its head.
      ConditionExpression:
        'log_id = :log AND epoch = :epoch AND head = :read_head AND allotted = :read_allotted AND retention_days = :days',
      ...(before.areAuthorsStored && { ExpressionAttributeNames: { '#peer': author.peerId } }),
      ExpressionAttributeValues: {
        ':head': after.head,
        ':written': after.written,
        ':log': after.logId,
        ':epoch': after.epoch,
        ':read_head': before.head,
        ':read_allotted': before.allotted,
        ':days': before.retentionDays,
        ...(before.areAuthorsStored ? { ':author': stored } : { ':authors': storedAuthors(after) }),
        ...(allots && { ':allotted': after.allotted }),
      },
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    },
  };
}

/** Each key's newest event, and the condition that nobody was faster. */
function newestActions(TableName: string, publication: Publication): readonly NamedAction[] {
  const { author, after, events, keysIfSeq, now } = publication;
  const newest = new Map(events.flatMap((event) => (event.key === undefined ? [] : [[event.key, event] as const])));
  return [...newest].map(([key, event]) => ({
    name: 'key',
    action: {
      Put: {
        TableName,
        Item: { ...newestKey(author.uid, after.name, after.logId, key), ...fromNewest(event, after.retentionDays) },
        ...(keysIfSeq !== undefined && {
          ConditionExpression:
            keysIfSeq === 0
              ? 'attribute_not_exists(seq) OR valid_until <= :now'
              : 'seq = :if_seq AND valid_until > :now',
          ExpressionAttributeValues: { ':now': now, ...(keysIfSeq !== 0 && { ':if_seq': keysIfSeq }) },
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        }),
      },
    },
  }));
}
