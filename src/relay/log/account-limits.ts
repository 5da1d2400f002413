import { MAX_ACCOUNT_BYTES, MAX_STREAMS } from '@autowatering/relay-protocol';
import pMap from 'p-map';
import { type TransactItems, transactWrite } from '../../platform/aws/dynamo.ts';
import type { Uid } from '../../platform/ids.ts';
import type { Services } from '../../platform/services.ts';
import { fields, number, withDefault } from '../../platform/shapes.ts';
import { accountKey, streamKey } from '../table-keys.ts';
import type { LogStore } from './log-store.ts';
import type { Stream } from './stored-stream.ts';

export interface AccountLimits {
  readonly bytes: number;
  readonly streams: number;
}
export const ACCOUNT_LIMITS: AccountLimits = { bytes: MAX_ACCOUNT_BYTES, streams: MAX_STREAMS };

/**
 * A stream is allotted this much of the account's bytes at once. The account's item is written then only, not with every
 * publish.
 */
export const ALLOTMENT_BYTES = 256 * 1024;
const STREAMS_AT_ONCE = 10;

/** What changes in the account's item: the streams it has, and the bytes allotted to them. */
export interface AccountChange {
  readonly streams?: 1 | -1;
  readonly allotted: number;
  /** Only while the account has peers: events of the service have no peer of their own to depend on. */
  readonly needsPeers?: boolean;
}

/** For a transaction: changes the account's counts, within its limits. */
export function accountAction(
  TableName: string,
  uid: Uid,
  { streams, allotted, needsPeers = false }: AccountChange,
  limits: AccountLimits,
): TransactItems[number] {
  const conditions = [
    ...(streams === 1 ? ['(attribute_not_exists(streams) OR streams < :most_streams)'] : []),
    ...(allotted > 0 ? ['(attribute_not_exists(allotted) OR allotted <= :room)'] : []),
    ...(needsPeers ? ['active_peers > :nobody'] : []),
  ];
  return {
    Update: {
      TableName,
      Key: accountKey(uid),
      UpdateExpression: `ADD allotted :allotted${streams === undefined ? '' : ', streams :streams'}`,
      ...(conditions.length > 0 && { ConditionExpression: conditions.join(' AND ') }),
      ExpressionAttributeValues: {
        ':allotted': allotted,
        ...(streams !== undefined && { ':streams': streams }),
        ...(streams === 1 && { ':most_streams': limits.streams }),
        ...(allotted > 0 && { ':room': limits.bytes - allotted }),
        ...(needsPeers && { ':nobody': 0 }),
      },
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    },
  };
}

/** For a transaction that does not change the account: it has peers, so that it is not being deleted either. */
export function peersCheck(TableName: string, uid: Uid): TransactItems[number] {
  return {
    ConditionCheck: {
      TableName,
      Key: accountKey(uid),
      ConditionExpression: 'active_peers > :nobody',
      ExpressionAttributeValues: { ':nobody': 0 },
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    },
  };
}

const storedAccount = fields({ streams: withDefault(number, 0) });

/** Which limit made `accountAction` fail. */
export function reachedLimit(item: Record<string, unknown> | undefined, limits: AccountLimits): 'streams' | 'bytes' {
  return storedAccount(item ?? {}).streams >= limits.streams ? 'streams' : 'bytes';
}

/** Gives back to the account what its streams hold for events that have expired. */
export async function giveBackExpired(
  { config, documents, randomness }: Pick<Services, 'config' | 'documents' | 'randomness'>,
  logs: LogStore,
  uid: Uid,
  now: number,
): Promise<void> {
  const TableName = config.tables.relay;
  await pMap(
    await logs.listStreams(uid),
    async (stream) => {
      const removed = removedFrom(stream, (await logs.readOldest(uid, stream, now))?.writtenBefore);
      if (removed === stream.removed) return;
      // Nothing to do when another container was faster.
      await transactWrite(documents, randomness, [
        {
          Update: {
            TableName,
            Key: streamKey(uid, stream.name),
            UpdateExpression: 'SET removed = :now',
            ConditionExpression: 'log_id = :log AND removed = :before',
            ExpressionAttributeValues: { ':now': removed, ':log': stream.logId, ':before': stream.removed },
          },
        },
        accountAction(TableName, uid, { allotted: stream.removed - removed }, ACCOUNT_LIMITS),
      ]);
    },
    { concurrency: STREAMS_AT_ONCE },
  );
}

/** Bytes of a stream that are gone, given what was written before its oldest event (undefined: it has none). */
function removedFrom(stream: Stream, beforeOldest: number | undefined): number {
  return Math.max(stream.removed, beforeOldest ?? stream.written);
}
