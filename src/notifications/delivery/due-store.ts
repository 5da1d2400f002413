import { ifConditionMet, wasConditionMet } from '../../platform/aws/dynamo.ts';
import { ttlSeconds } from '../../platform/clock.ts';
import type { Services } from '../../platform/services.ts';
import { duePartition, type NotificationKey } from '../table-keys.ts';
import { type ClaimedDue, type Due, fromDue, toClaimed, toDue } from './due.ts';

const HOUR_MS = 60 * 60 * 1000;
/** A push that is days late tells nobody anything; the message is in the inbox. */
export const KEPT_MS = 72 * HOUR_MS;
/** Longer than a run takes to send one account's messages. */
const CLAIM_MS = 2 * 60 * 1000;
const PAGE = 200;
/** Of one account at once: what a digest may hold. */
const MOST_TOGETHER = 100;

/** As stored, with the moment from which it may be forgotten. */
export function dueAttributes(due: Due): Record<string, unknown> {
  return { ...fromDue(due), expires_at: ttlSeconds(due.dueAt + KEPT_MS) };
}

/** Deliveries that are still to be made, by the hour in which they fall due. */
export function createDueStore({
  config,
  documents,
  randomness,
}: Pick<Services, 'config' | 'documents' | 'randomness'>) {
  const TableName = config.tables.garden;

  /** A write on condition that this run still has the delivery; false if another one took it over. */
  const whileClaimed = wasConditionMet;

  return {
    async put(due: Due): Promise<void> {
      await (await documents()).put({ TableName, Item: dueAttributes(due) });
    },

    async read(key: NotificationKey): Promise<Due | undefined> {
      const { Item: item } = await (await documents()).get({ TableName, Key: key, ConsistentRead: true });
      return item === undefined ? undefined : toDue(item);
    },

    /** What is due at `now` of one hour and is nobody's yet, together for each account. */
    async *dueIn(hour: number, now: number): AsyncGenerator<readonly Due[]> {
      const client = await documents();
      let group: Due[] = [];
      let from: Record<string, unknown> | undefined;
      do {
        const page = await client.query({
          TableName,
          KeyConditionExpression: '#partition = :hour',
          FilterExpression:
            'due_at <= :now AND (attribute_not_exists(not_before) OR not_before <= :now) AND ' +
            '(attribute_not_exists(claimed_until) OR claimed_until <= :now)',
          ExpressionAttributeNames: { '#partition': 'partition' },
          ExpressionAttributeValues: { ':hour': duePartition(hour), ':now': now },
          Limit: PAGE,
          ExclusiveStartKey: from,
        });
        for (const due of page.Items.map(toDue)) {
          if (group.length > 0 && (group[0]?.uid !== due.uid || group.length >= MOST_TOGETHER)) {
            yield group;
            group = [];
          }
          group.push(due);
        }
        from = page.LastEvaluatedKey;
      } while (from !== undefined);
      if (group.length > 0) yield group;
    },

    /** Takes the delivery for this run; undefined if it is done, or another run has it. */
    async claim({ key }: Due, now: number): Promise<ClaimedDue | undefined> {
      return ifConditionMet(async () => {
        const { Attributes: item } = await (await documents()).update({
          TableName,
          Key: key,
          UpdateExpression: 'SET claim = :claim, claimed_until = :until ADD attempts :one',
          ConditionExpression:
            'attribute_exists(uid) AND (attribute_not_exists(claimed_until) OR claimed_until <= :now)',
          ExpressionAttributeValues: {
            ':claim': randomness.id(),
            ':until': now + CLAIM_MS,
            ':now': now,
            ':one': 1,
          },
          ReturnValues: 'ALL_NEW',
        });
        return toClaimed(item);
      });
    },

    /** Notes that a mail is about to be sent, or was: whoever takes over does not send it again. */
    noteMail: ({ key, claim }: ClaimedDue): Promise<boolean> =>
      whileClaimed(async () =>
        (await documents()).update({
          TableName,
          Key: key,
          UpdateExpression: 'SET is_mail_begun = :true',
          ConditionExpression: 'claim = :claim',
          ExpressionAttributeValues: { ':claim': claim, ':true': true },
        }),
      ),

    /** Leaves the delivery to a later run, for those who have not got it yet. */
    giveBack: ({ key, claim }: ClaimedDue, remaining: readonly string[], notBefore: number): Promise<boolean> =>
      whileClaimed(async () =>
        (await documents()).update({
          TableName,
          Key: key,
          UpdateExpression:
            'SET remaining = :remaining, not_before = :before REMOVE claim, claimed_until, is_mail_begun',
          ConditionExpression: 'claim = :claim',
          ExpressionAttributeValues: { ':claim': claim, ':remaining': remaining, ':before': notBefore },
        }),
      ),

    /** Leaves the delivery as it is to a later run. */
    postpone: ({ key, claim }: ClaimedDue, notBefore: number): Promise<boolean> =>
      whileClaimed(async () =>
        (await documents()).update({
          TableName,
          Key: key,
          UpdateExpression: 'SET not_before = :before REMOVE claim, claimed_until ADD attempts :back',
          ConditionExpression: 'claim = :claim',
          ExpressionAttributeValues: { ':claim': claim, ':before': notBefore, ':back': -1 },
        }),
      ),

    finish: ({ key, claim }: ClaimedDue): Promise<boolean> =>
      whileClaimed(async () =>
        (await documents()).delete({
          TableName,
          Key: key,
          ConditionExpression: 'claim = :claim',
          ExpressionAttributeValues: { ':claim': claim },
        }),
      ),

    async remove({ key }: Due): Promise<void> {
      await (await documents()).delete({ TableName, Key: key });
    },
  };
}

export type DueStore = ReturnType<typeof createDueStore>;
