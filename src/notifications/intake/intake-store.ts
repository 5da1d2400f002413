import { type AliveCheck, transactWrite, wasConditionMet } from '../../platform/aws/dynamo.ts';
import { ttlSeconds } from '../../platform/clock.ts';
import { isSerial, type Uid } from '../../platform/ids.ts';
import type { Services } from '../../platform/services.ts';
import { fields, orNull, textThat } from '../../platform/shapes.ts';
import type { Due } from '../delivery/due.ts';
import { dueAttributes } from '../delivery/due-store.ts';
import { fromMessage, INBOX_MS, type Message } from '../inbox/message.ts';
import type { Notice } from '../notice.ts';
import { accountPartition, causeKey, NOTICE_PREFIX, noticeKey, timeId } from '../table-keys.ts';
import { REMEMBERED_MS } from './cause.ts';
import { MOST_OF_ACCOUNT, type Told } from './flood.ts';

const SCHEMA = 1;
const readSerial = fields({ serial: orNull(textThat(isSerial, 'a serial')) });

/** What is stored of a new message, all or nothing. */
export interface Intake {
  readonly notice: Notice;
  /** When the cause was last noted, as it was read; undefined if never. */
  readonly knownAt: number | undefined;
  readonly latestAt: number;
  readonly message: Message;
  readonly due: Due | undefined;
}

/** Causes, and the messages that they lead to. */
export function createIntakeStore(
  { config, documents, randomness }: Pick<Services, 'config' | 'documents' | 'randomness'>,
  isAlive: AliveCheck,
) {
  const TableName = config.tables.garden;

  const causeItem = (uid: Uid, { kind, cause }: Notice, lastAt: number) => ({
    ...causeKey(uid, kind, cause),
    last_at: lastAt,
    schema: SCHEMA,
    expires_at: ttlSeconds(lastAt + REMEMBERED_MS),
  });
  const unchanged = (knownAt: number | undefined) =>
    knownAt === undefined
      ? { ConditionExpression: 'attribute_not_exists(last_at)' }
      : { ConditionExpression: 'last_at = :known', ExpressionAttributeValues: { ':known': knownAt } };

  return {
    /** When the cause was last noted; a strongly consistent read. */
    async lastAt(uid: Uid, { kind, cause }: Notice): Promise<number | undefined> {
      const { Item: item } = await (await documents()).get({
        TableName,
        Key: causeKey(uid, kind, cause),
        ConsistentRead: true,
      });
      const lastAt: unknown = item?.['last_at'];
      return typeof lastAt === 'number' ? lastAt : undefined;
    },

    /** The devices of the messages that were stored since then, of the newest as far as a flood has to be known. */
    async toldSince(uid: Uid, since: number): Promise<Told> {
      const { Items: items = [] } = await (await documents()).query({
        TableName,
        KeyConditionExpression: '#partition = :account AND #record BETWEEN :from AND :to',
        ProjectionExpression: '#serial',
        ExpressionAttributeNames: { '#partition': 'partition', '#record': 'record', '#serial': 'serial' },
        ExpressionAttributeValues: {
          ':account': accountPartition(uid),
          ':from': `${NOTICE_PREFIX}${timeId(since)}`,
          ':to': `${NOTICE_PREFIX}~`,
        },
        ScanIndexForward: false,
        Limit: MOST_OF_ACCOUNT,
        ConsistentRead: true,
      });
      return items.map((item) => readSerial(item).serial);
    },

    /** Notes that the cause goes on. Another report may have noted it at the same time, which is as good. */
    async noteGoingOn(uid: Uid, notice: Notice, lastAt: number): Promise<void> {
      await wasConditionMet(async () =>
        (await documents()).put({
          TableName,
          Item: causeItem(uid, notice, lastAt),
          ConditionExpression: 'last_at < :last',
          ExpressionAttributeValues: { ':last': lastAt },
        }),
      );
    },

    /** `overtaken`: another report of the cause was faster. Only `stored` stores anything. */
    async store(
      uid: Uid,
      { notice, knownAt, latestAt, message, due }: Intake,
    ): Promise<'stored' | 'overtaken' | 'account_deleted'> {
      const outcome = await transactWrite(documents, randomness, [
        { Put: { TableName, Item: causeItem(uid, notice, latestAt), ...unchanged(knownAt) } },
        isAlive(uid),
        {
          Put: {
            TableName,
            Item: {
              ...noticeKey(uid, message.messageId),
              ...fromMessage(message),
              expires_at: ttlSeconds(message.storedAt + INBOX_MS),
            },
          },
        },
        ...(due === undefined ? [] : [{ Put: { TableName, Item: dueAttributes(due) } }]),
      ]);
      if (outcome.committed) return 'stored';
      return outcome.reasons[1]?.code === 'ConditionalCheckFailed' ? 'account_deleted' : 'overtaken';
    },
  };
}

export type IntakeStore = ReturnType<typeof createIntakeStore>;
