import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod';
import { PlainError } from '../../cli/plain-error.ts';
import type { TablePlace } from '../../cli/target/place.ts';
import type { Migration } from './migration.ts';

/** No chip has this id; so no device is ever mistaken for the ledger, nor the other way round. */
export const LEDGER = '#migrations';
/** A run that died holds the lock no longer than this. */
export const LOCK_MS = 2 * 60 * 1000;

const Entry = z.object({
  state: z.enum(['going-up', 'up', 'going-down', 'down']),
  /** The last key that was looked at, as JSON in DynamoDB's notation; absent at the beginning and at the end. */
  cursor: z.string().optional(),
  looked_at: z.number(),
  changed: z.number(),
  updated_at: z.string(),
});

/** How far a migration is. */
export interface Progress {
  readonly state: 'going-up' | 'up' | 'going-down' | 'down';
  readonly cursor: Record<string, AttributeValue> | undefined;
  /** Items that were looked at and changed in this direction. */
  readonly lookedAt: number;
  readonly changed: number;
}

/** What was migrated in an environment, kept in its own tables, and who does it at the moment. */
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

    /** Takes the lock, or keeps it a while longer. @throws PlainError while another run has it */
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
        throw new PlainError('Another migration runs here. If it has died, its lock ends within two minutes.');
    },

    /** Removes the lock, whoever has it: for a copy of the data, in which nobody runs. */
    async removeLock(): Promise<void> {
      await dynamo.deleteItem({ TableName, Key: marshall({ hw_id: LEDGER, record: 'lock' }) });
    },

    /** Gives the lock back; one that has run out and is another's by now stays theirs. */
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

/** @returns whether the write was made; its condition may have refused it */
async function unlessRefused(write: Promise<unknown>): Promise<boolean> {
  try {
    await write;
    return true;
  } catch (error) {
    if (error instanceof Error && error.name === 'ConditionalCheckFailedException') return false;
    throw error;
  }
}
