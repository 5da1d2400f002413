import * as z from 'zod';
import { type AliveCheck, failedCondition, transactWrite, wasConditionMet } from '../../platform/aws/dynamo.ts';
import { ttlSeconds } from '../../platform/clock.ts';
import { type HwId, isSerial, type Serial, type Uid } from '../../platform/ids.ts';
import { createWhileOvertaken, OVERTAKEN } from '../../platform/resilience/overtaken.ts';
import type { Services } from '../../platform/services.ts';
import type { Command, CommandId } from '../model/command.ts';
import { EMPTY_QUEUE, type Queue } from '../model/queue.ts';
import { isOpen } from '../model/states.ts';
import { commandKeyKey, ENDED_PREFIX, endedKey, endedPartition, queueKey } from '../table-keys.ts';
import { commandText, queueTexts, readCommand, readQueue } from './stored-command.ts';

const SCHEMA = 1;
const DAY_MS = 24 * 60 * 60 * 1000;
/** An ended command is kept so long, with who did what. */
export const KEPT_MS = 90 * DAY_MS;
/** A queue nobody uses any more goes after everything that it knew of. */
const QUEUE_KEPT_MS = KEPT_MS + 10 * DAY_MS;

/** A device of an account. */
export interface QueueOwner {
  readonly uid: Uid;
  readonly hwId: HwId;
  readonly serial: Serial;
  /** Since when it is the account's, in milliseconds since 1970. Left out where nobody asks for it. */
  readonly ownedSince?: number;
}

/** A change of a queue, or why there is none. */
export type Decision<T> = { readonly queue?: Queue; readonly result: T };

/** A command before and after a change; a new one was nothing before. */
export interface ChangedCommand {
  readonly before: Command | undefined;
  readonly command: Command;
}

export type ChangedQueue<T> =
  | {
      readonly outcome: 'changed';
      readonly result: T;
      /** Of those that are new or different. */
      readonly changed: readonly ChangedCommand[];
    }
  | { readonly outcome: 'account_deleted' };

export interface StoredQueue {
  readonly revision: number;
  readonly queue: Queue;
  readonly serial: Serial;
}

const StoredItem = z.object({
  revision: z.int().positive(),
  serial: z.string().refine(isSerial),
  commands: z.string(),
  used: z.string(),
});
const StoredEnded = z.object({ command: z.string() });
const StoredKey = z.object({ command_id: z.string() });

type Needed = Pick<Services, 'config' | 'documents' | 'randomness'>;

export function toStoredQueue(item: Record<string, unknown>): StoredQueue {
  const { revision, serial, ...texts } = StoredItem.parse(item);
  return { revision, serial, queue: readQueue(texts) };
}

/**
 * The commands of every account. One item per device holds what is open, and each step is one conditional write of it; a
 * command that ends moves into an item of its own in the same transaction.
 */
export function createQueueStore({ config, documents, randomness }: Needed) {
  const TableName = config.tables.garden;
  const whileOvertaken = createWhileOvertaken(randomness);

  const get = async (Key: Record<string, unknown>) =>
    (await (await documents()).get({ TableName, Key, ConsistentRead: true })).Item;

  const read = async (uid: Uid, hwId: HwId): Promise<StoredQueue | undefined> => {
    const item = await get({ ...queueKey(uid, hwId) });
    return item === undefined ? undefined : toStoredQueue(item);
  };

  const readEnded = async (uid: Uid, hwId: HwId, commandId: CommandId): Promise<Command | undefined> => {
    const item = await get({ ...endedKey(uid, hwId, commandId) });
    return item === undefined ? undefined : readCommand(StoredEnded.parse(item).command);
  };

  const endedItem = ({ uid, hwId }: QueueOwner, command: Command) => ({
    ...endedKey(uid, hwId, command.commandId),
    command: commandText(command),
    expires_at: ttlSeconds((command.endedAt ?? command.createdAt) + KEPT_MS),
    schema: SCHEMA,
  });

  const write = async (
    owner: QueueOwner,
    before: StoredQueue | undefined,
    after: Queue,
    isAlive: AliveCheck | undefined,
    now: number,
  ): Promise<'written' | 'overtaken' | 'account_deleted'> => {
    const { uid, hwId, serial } = owner;
    const open = after.commands.filter(({ state }) => isOpen(state));
    const ended = after.commands.filter(({ state }) => !isOpen(state));
    const put = {
      TableName,
      Item: {
        ...queueKey(uid, hwId),
        revision: (before?.revision ?? 0) + 1,
        serial,
        ...queueTexts({ commands: open, used: after.used }),
        expires_at: ttlSeconds(now + QUEUE_KEPT_MS),
        schema: SCHEMA,
      },
      ...(before === undefined
        ? { ConditionExpression: 'attribute_not_exists(revision)' }
        : { ConditionExpression: 'revision = :read', ExpressionAttributeValues: { ':read': before.revision } }),
    };
    // A queue that exists is removed with its account, so only its first command has to ask whether there is one.
    const alive = before === undefined && isAlive !== undefined ? [isAlive(uid)] : [];
    if (ended.length === 0 && alive.length === 0) {
      try {
        await (await documents()).put(put);
        return 'written';
      } catch (error) {
        if (failedCondition(error) === undefined) throw error;
        return 'overtaken';
      }
    }
    const outcome = await transactWrite(documents, randomness, [
      { Put: put },
      ...ended.flatMap((command) => [
        { Put: { TableName, Item: endedItem(owner, command) } },
        {
          Put: {
            TableName,
            Item: {
              ...commandKeyKey(uid, hwId, command.commandKey),
              command_id: command.commandId,
              expires_at: ttlSeconds((command.endedAt ?? command.createdAt) + KEPT_MS),
              schema: SCHEMA,
            },
          },
        },
      ]),
      ...alive,
    ]);
    if (outcome.committed) return 'written';
    const isGone = alive.length > 0 && outcome.reasons.at(-1)?.code === 'ConditionalCheckFailed';
    return isGone ? 'account_deleted' : 'overtaken';
  };

  return {
    read,
    readEnded,

    /** An ended command by its client's name for it. */
    async readByKey(uid: Uid, hwId: HwId, commandKey: string): Promise<Command | undefined> {
      const item = await get({ ...commandKeyKey(uid, hwId, commandKey) });
      if (item === undefined) return undefined;
      const { command_id: commandId } = StoredKey.parse(item);
      const ended = await get({ partition: endedPartition(uid, hwId), record: `${ENDED_PREFIX}${commandId}` });
      return ended === undefined ? undefined : readCommand(StoredEnded.parse(ended).command);
    },

    /**
     * Changes a device's queue from a fresh read, again whenever somebody else was faster.
     *
     * @param decide returns no queue when there is nothing to write
     * @param isAlive for the first command of a device: fails while the account is being deleted
     */
    async change<T>(
      owner: QueueOwner,
      now: number,
      decide: (queue: Queue) => Promise<Decision<T>> | Decision<T>,
      isAlive?: AliveCheck,
    ): Promise<ChangedQueue<T>> {
      return whileOvertaken('the queue of a device', async () => {
        const before = await read(owner.uid, owner.hwId);
        const { queue: after, result } = await decide(before?.queue ?? EMPTY_QUEUE);
        if (after === undefined) return { outcome: 'changed', result, changed: [] };
        const written = await write(owner, before, after, isAlive, now);
        if (written === 'overtaken') return OVERTAKEN;
        if (written === 'account_deleted') return { outcome: written };
        const known = new Map(before?.queue.commands.map((command) => [command.commandId, command] as const));
        const changed = after.commands.map((command) => ({ before: known.get(command.commandId), command }));
        return {
          ...{ outcome: 'changed', result },
          changed: changed.filter(({ before: was, command }) => was?.revision !== command.revision),
        };
      });
    },

    /** An ended command that turned out otherwise. @returns false when somebody else was faster */
    async replaceEnded(owner: QueueOwner, before: Command, after: Command): Promise<boolean> {
      return wasConditionMet(async () =>
        (await documents()).put({
          TableName,
          Item: endedItem(owner, after),
          ConditionExpression: 'command = :before',
          ExpressionAttributeValues: { ':before': commandText(before) },
        }),
      );
    },

    /** Ended commands, newest first, older than `before`. */
    async listEnded(uid: Uid, hwId: HwId, limit: number, before: string | undefined): Promise<readonly Command[]> {
      const { Items: items } = await (await documents()).query({
        TableName,
        KeyConditionExpression: '#partition = :device AND #record BETWEEN :first AND :last',
        ExpressionAttributeNames: { '#partition': 'partition', '#record': 'record' },
        ExpressionAttributeValues: {
          ':device': endedPartition(uid, hwId),
          ':first': ENDED_PREFIX,
          ':last': `${ENDED_PREFIX}${before ?? '~'}`,
        },
        ScanIndexForward: false,
        ConsistentRead: true,
        // One more: `before` itself may be among them.
        Limit: limit + 1,
      });
      return items
        .map((item) => readCommand(StoredEnded.parse(item).command))
        .filter(({ commandId }) => before === undefined || commandId < before)
        .slice(0, limit);
    },
  };
}

export type QueueStore = ReturnType<typeof createQueueStore>;
