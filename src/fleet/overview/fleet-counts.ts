import { createHash } from 'node:crypto';
import type { TransactItems } from '../../platform/aws/dynamo.ts';
import { updateExpression } from '../../platform/aws/update-expression.ts';
import type { HwId } from '../../platform/ids.ts';
import type { AuditEntry } from '../audit/audit.ts';

/** All counts share one partition of `provisioning`. */
export const COUNTS_PARTITION = '#fleet-counts';
/** Transactions on one item conflict. Spread over this many items they rarely do, and one cheap query adds them up. */
const SHARDS = 32;
const SCHEMA = 1;
const UNKNOWN_FIRMWARE = 'unknown';

/** What the counts need to know of a device: its board and its firmware. */
export interface CountedDevice {
  readonly board: string;
  readonly firmware: string | undefined;
}

/** What changes in one of the counts, whichever of its items it is added to. */
export interface CountChange {
  readonly count: string;
  readonly add: Readonly<Record<string, number>>;
}

/** What a step changes in the counts. */
export function countChanges(
  device: CountedDevice,
  entry: Pick<AuditEntry, 'action' | 'before' | 'after'>,
  day: string,
  nextFirmware: string | undefined,
): readonly CountChange[] {
  const { action, before, after } = entry;
  const isNew = before === null;
  const version = (of: string | undefined, by: number): CountChange => ({
    count: `version#${device.board}#${of ?? UNKNOWN_FIRMWARE}`,
    add: { devices: by },
  });
  const changesVersion = nextFirmware !== undefined && nextFirmware !== device.firmware;
  const moved = before?.state !== after.state;
  const states = { ...(before === null ? {} : { [before.state]: -1 }), [after.state]: 1 };
  return [
    ...(moved ? [{ count: 'status', add: states }] : []),
    { count: `day#${day}`, add: { [action]: 1 } },
    ...(isNew ? [version(device.firmware, 1)] : []),
    ...(!isNew && changesVersion ? [version(device.firmware, -1), version(nextFirmware, 1)] : []),
  ];
}

/**
 * Changes the counts in the same transaction as what they count, so that they can't drift.
 *
 * @param hwId selects the items. Only their sums matter, so changes of several devices may go to the same ones.
 */
export function countingActions(table: string, hwId: HwId, changes: readonly CountChange[]): TransactItems {
  const shard = shardOf(hwId);
  const sums = new Map<string, Record<string, number>>();
  for (const { count, add } of changes) {
    const sum = sums.get(count) ?? {};
    sums.set(count, sum);
    for (const [name, by] of Object.entries(add)) sum[name] = (sum[name] ?? 0) + by;
  }
  return [...sums].map(([count, add]) => countAction(table, `${count}#${shard}`, add));
}

function countAction(table: string, record: string, add: Readonly<Record<string, number>>): TransactItems[number] {
  const { UpdateExpression, names, values } = updateExpression({ add, set: { schema: SCHEMA } });
  return {
    Update: {
      TableName: table,
      Key: { hw_id: COUNTS_PARTITION, record },
      UpdateExpression,
      ExpressionAttributeNames: names,
      ExpressionAttributeValues: values,
    },
  };
}

function shardOf(hwId: HwId): string {
  const byte = createHash('sha256').update(hwId).digest()[0] ?? 0;
  return String(byte % SHARDS).padStart(2, '0');
}
