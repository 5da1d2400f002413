import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod';
import { PlainError } from '../../cli/plain-error.ts';
import type { TablePlace } from '../../cli/target/place.ts';
import type { Migration } from './migration.ts';

/** Not a possible chip id, so that a device and the ledger can't be confused. */
export const LEDGER = '#migrations';
/** How long a crashed run keeps the lock. */
const LOCK_MS = 2 * 60 * 1000;

const Entry = z.object({
  state: z.enum(['going-up', 'up', 'going-down', 'down']),
  /** The last key that was read, as DynamoDB JSON; absent at the beginning and at the end. */
  cursor: z.string().optional(),
  looked_at: z.number(),
  changed: z.number(),
  updated_at: z.string(),
});

/** The progress of a migration. */
export interface Progress {
  readonly state: 'going-up' | 'up' | 'going-down' | 'down';
  readonly cursor: Record<string, AttributeValue> | undefined;
  /** Items read and changed in this direction. */
  readonly lookedAt: number;
  readonly changed: number;
}

/** The migration progress of an environment and its lock, stored in the environment's own tables. */
export function migrationLedger({ dynamo, tableName }: TablePlace) {
  const TableName = tableName('provisioning');
  const keyOf = ({ id }: Migration) => ({ hw_id: LEDGER, record: String(id).padStart(4, '0') });

  return {
    async read(migration: Migration): Promise<(Progress & { readonly updatedAt: string }) | undefined> {
      const { Item: item } = await dynamo.getItem({ TableName, Key: marshall(keyOf(migration)), ConsistentRead: true });
      if (item === undefined) return undefined;
      const { state, cursor, looked_at: lookedAt, changed, updated_at: updatedAt } = Entry.parse(unmarshall(item));
      return {
        ...{ state, lookedAt, changed, updatedAt },
        cursor: cursor === undefined ? undefined : JSON.parse(cursor),
      };
    },

    async write(migration: Migration, { state, cursor, lookedAt, changed }: Progress, now: Date): Promise<void> {
      const item = {
        ...keyOf(migration),
        ...{ name: migration.name, state, looked_at: lookedAt, changed, updated_at: now.toISOString(), schema: 1 },
        ...(cursor !== undefined && { cursor: JSON.stringify(cursor) }),
      };
      await dynamo.putItem({ TableName, Item: marshall(item) });
    },

    /** Takes or extends the lock. @throws PlainError while another run holds it */
    async lock(owner: string, now: number): Promise<void> {
      const taken = await unlessRefused(
        dynamo.putItem({
          TableName,
          Item: marshall({ hw_id: LEDGER, record: 'lock', owner, locked_until: now + LOCK_MS }),
          ConditionExpression: 'attribute_not_exists(#owner) OR #owner = :owner OR locked_until < :now',
          ExpressionAttributeNames: { '#owner': 'owner' },
          ExpressionAttributeValues: marshall({ ':owner': owner, ':now': now }),
        }),
      );
      if (!taken)
        throw new PlainError('Another migration is running. If it has crashed, its lock expires within two minutes.');
    },

    /** Removes the lock, whoever holds it: for a copy of the data, where no run can be active. */
    async removeLock(): Promise<void> {
      await dynamo.deleteItem({ TableName, Key: marshall({ hw_id: LEDGER, record: 'lock' }) });
    },

    /** Releases the lock, unless it has expired and another run holds it now. */
    async unlock(owner: string): Promise<void> {
      await unlessRefused(
        dynamo.deleteItem({
          TableName,
          Key: marshall({ hw_id: LEDGER, record: 'lock' }),
          ConditionExpression: 'attribute_not_exists(#owner) OR #owner = :owner',
          ExpressionAttributeNames: { '#owner': 'owner' },
          ExpressionAttributeValues: marshall({ ':owner': owner }),
        }),
      );
    },
  };
}

export type MigrationLedger = ReturnType<typeof migrationLedger>;

/** @returns false when the write's condition was not met */
async function unlessRefused(write: Promise<unknown>): Promise<boolean> {
  try {
    await write;
    return true;
  } catch (error) {
    if (error instanceof Error && error.name === 'ConditionalCheckFailedException') return false;
    throw error;
  }
}
