import * as z from 'zod';
import { ttlSeconds } from '../../platform/clock.ts';
import { isHwId, isSerial, isUid } from '../../platform/ids.ts';
import type { Services } from '../../platform/services.ts';
import { type Command, type CommandId, isCommandId } from '../model/command.ts';
import { dueKey, duePartition, dueTime, hourOf } from '../table-keys.ts';
import type { QueueOwner } from './queue-store.ts';

const SCHEMA = 1;
/** What was not looked at for so long is found by whoever reads the command. */
export const DUE_KEPT_MS = 2 * 24 * 60 * 60 * 1000;
/** As far back as reminders are kept: the work by time may have stood still for a day. */
const HOURS_BACK = DUE_KEPT_MS / (60 * 60 * 1000);

export interface DueCommand {
  readonly owner: QueueOwner;
  readonly commandId: CommandId;
  readonly expiresAt: number;
}

const StoredDue = z.object({
  uid: z.string().refine(isUid),
  hw_id: z.string().refine(isHwId),
  serial: z.string().refine(isSerial),
  command_id: z.string().refine(isCommandId),
  due_at: z.number(),
});

/**
 * Reminders of commands by their expiry, across all accounts, so that everybody is told of their end though nobody asks.
 * One is added before the command, and removed when its end was told.
 */
export function createDueStore({ config, documents }: Pick<Services, 'config' | 'documents'>) {
  const TableName = config.tables.garden;

  return {
    async add({ uid, hwId, serial }: QueueOwner, command: Pick<Command, 'commandId' | 'expiresAt'>): Promise<void> {
      await (await documents()).put({
        TableName,
        Item: {
          ...dueKey(uid, hwId, command),
          ...{ uid, hw_id: hwId, serial, command_id: command.commandId, due_at: command.expiresAt },
          expires_at: ttlSeconds(command.expiresAt + DUE_KEPT_MS),
          schema: SCHEMA,
        },
      });
    },

    async remove({ uid, hwId }: Pick<QueueOwner, 'uid' | 'hwId'>, command: Pick<Command, 'commandId' | 'expiresAt'>) {
      await (await documents()).delete({ TableName, Key: dueKey(uid, hwId, command) });
    },

    /** Whether there is still a reminder: not everybody was told. */
    async has({ uid, hwId }: Pick<QueueOwner, 'uid' | 'hwId'>, command: Pick<Command, 'commandId' | 'expiresAt'>) {
      const Key = dueKey(uid, hwId, command);
      const { Item: item } = await (await documents()).get({ TableName, Key, ConsistentRead: true });
      return item !== undefined;
    },

    /** Those that have expired by now, the oldest first, a page at a time. */
    async *list(now: number): AsyncGenerator<readonly DueCommand[]> {
      for (let hour = hourOf(now) - HOURS_BACK; hour <= hourOf(now); hour += 1) {
        let from: Record<string, unknown> | undefined;
        do {
          const page = await (await documents()).query({
            TableName,
            KeyConditionExpression: '#partition = :hour AND #record < :now',
            ExpressionAttributeNames: { '#partition': 'partition', '#record': 'record' },
            ExpressionAttributeValues: { ':hour': duePartition(hour), ':now': dueTime(now) },
            Limit: 100,
            ExclusiveStartKey: from,
          });
          yield page.Items.map((item) => {
            const { uid, hw_id: hwId, serial, command_id: commandId, due_at: expiresAt } = StoredDue.parse(item);
            return { owner: { uid, hwId, serial }, commandId, expiresAt };
          });
          from = page.LastEvaluatedKey;
        } while (from !== undefined);
      }
    },
  };
}

export type DueStore = ReturnType<typeof createDueStore>;
