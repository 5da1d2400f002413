import type { TransactWriteItem } from '@aws-sdk/client-dynamodb';
import type { TableName } from '../../cli/target/place.ts';

/** An item as plain values. */
export type Stored = Readonly<Record<string, unknown>>;

/** What one item asks to be written: all of it or nothing; nothing as well when a condition says so. */
export type Change = readonly TransactWriteItem[];

/**
 * A change of what is stored. Both ways go over the table item by item, and may be cut off and begun again anywhere:
 * a change that was made is refused by its own condition, and never made twice.
 */
export interface Migration {
  /** Its place in the order; never given again. */
  readonly id: number;
  readonly name: string;
  /** What becomes different, for whoever has to decide. */
  readonly summary: string;
  readonly table: TableName;
  /** @param tableName the table's name in this environment */
  up(item: Stored, tableName: string): Change | undefined;
  down(item: Stored, tableName: string): Change | undefined;
}
