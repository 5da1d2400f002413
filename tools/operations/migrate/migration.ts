import type { TransactWriteItem } from '@aws-sdk/client-dynamodb';
import type { TableName } from '../../cli/target/place.ts';

/** An item as plain values. */
export type Stored = Readonly<Record<string, unknown>>;

/** The writes for one item, in one transaction. A failed condition means there is nothing to change. */
export type Change = readonly TransactWriteItem[];

/**
 * A change of stored data. Both directions process the table item by item, and can be interrupted and restarted
 * anywhere: each change's condition prevents it from being made twice.
 */
export interface Migration {
  /** Its place in the order; never reused. */
  readonly id: number;
  readonly name: string;
  /** What it changes, for the operator. */
  readonly summary: string;
  readonly table: TableName;
  /** @param tableName the table's name in this environment */
  up(item: Stored, tableName: string): Change | undefined;
  down(item: Stored, tableName: string): Change | undefined;
}
