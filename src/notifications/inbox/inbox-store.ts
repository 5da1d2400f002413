import pMap from 'p-map';
import { wasConditionMet } from '../../platform/aws/dynamo.ts';
import type { Uid } from '../../platform/ids.ts';
import type { Services } from '../../platform/services.ts';
import { accountPartition, NOTICE_PREFIX, noticeKey, timeId } from '../table-keys.ts';
import { type Message, toMessage } from './message.ts';

/** Nobody reads a higher number of unread messages, and counting them costs. */
export const MOST_UNREAD = 100;
const COUNTED_AT_ONCE = 300;
/** Among so many of the newest messages: older ones that were passed over are not worth reading all that was read. */
const MOST_COUNTED = 1_500;
const MARKED_AT_ONCE = 10;
/** After every id. */
const LAST = '~';

export interface InboxPage {
  readonly messages: readonly Message[];
  /** The last message's id, if there are more. */
  readonly next: string | undefined;
}

/** An account's messages, newest first. */
export function createInboxStore({ config, documents }: Pick<Services, 'config' | 'documents'>) {
  const TableName = config.tables.garden;

  return {
    async read(uid: Uid, messageId: string): Promise<Message | undefined> {
      const { Item: item } = await (await documents()).get({
        TableName,
        Key: noticeKey(uid, messageId),
        ConsistentRead: true,
      });
      return item === undefined ? undefined : toMessage(item);
    },

    /** @param before messages older than the one with this id */
    async list(uid: Uid, limit: number, before: string | undefined): Promise<InboxPage> {
      const { Items: items, LastEvaluatedKey: last } = await (await documents()).query({
        TableName,
        KeyConditionExpression: '#partition = :account AND begins_with(#record, :prefix)',
        ExpressionAttributeNames: { '#partition': 'partition', '#record': 'record' },
        ExpressionAttributeValues: { ':account': accountPartition(uid), ':prefix': NOTICE_PREFIX },
        ScanIndexForward: false,
        Limit: limit,
        ...(before !== undefined && { ExclusiveStartKey: noticeKey(uid, before) }),
      });
      const messages = items.map(toMessage);
      return { messages, next: last === undefined ? undefined : messages.at(-1)?.messageId };
    },

    /** How many messages are unread, at most `MOST_UNREAD`. */
    async countUnread(uid: Uid, readUntil: number): Promise<number> {
      const client = await documents();
      let [count, seen] = [0, 0];
      let from: Record<string, unknown> | undefined;
      do {
        const page = await client.query({
          TableName,
          KeyConditionExpression: '#partition = :account AND #record BETWEEN :from AND :to',
          FilterExpression: 'attribute_not_exists(read_at)',
          ExpressionAttributeNames: { '#partition': 'partition', '#record': 'record' },
          ExpressionAttributeValues: {
            ':account': accountPartition(uid),
            ':from': `${NOTICE_PREFIX}${timeId(readUntil + 1)}`,
            ':to': `${NOTICE_PREFIX}${LAST}`,
          },
          Select: 'COUNT',
          ScanIndexForward: false,
          Limit: COUNTED_AT_ONCE,
          ConsistentRead: true,
          ExclusiveStartKey: from,
        });
        count += page.Count ?? 0;
        seen += COUNTED_AT_ONCE;
        from = page.LastEvaluatedKey;
      } while (from !== undefined && count < MOST_UNREAD && seen < MOST_COUNTED);
      return Math.min(count, MOST_UNREAD);
    },

    /** Marks messages as read; those that do not exist are passed over. */
    async markRead(uid: Uid, messageIds: readonly string[], now: number): Promise<void> {
      const client = await documents();
      await pMap(
        messageIds,
        async (messageId) => {
          await wasConditionMet(async () =>
            client.update({
              TableName,
              Key: noticeKey(uid, messageId),
              UpdateExpression: 'SET read_at = :now',
              ConditionExpression: 'attribute_exists(stored_at) AND attribute_not_exists(read_at)',
              ExpressionAttributeValues: { ':now': now },
            }),
          );
        },
        { concurrency: MARKED_AT_ONCE },
      );
    },
  };
}

export type InboxStore = ReturnType<typeof createInboxStore>;
