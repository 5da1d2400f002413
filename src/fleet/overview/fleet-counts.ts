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
export const UNKNOWN_FIRMWARE = 'unknown';

/** What the counts need to know of a device: its board and its firmware. */
export interface CountedDevice {
  readonly hwId: HwId;
  readonly board: string;
  readonly firmware: string | undefined;
}

/** Adds or subtracts one in the same transaction as the change itself, so that the counts can't drift. */
export function countingActions(
  table: string,
  device: CountedDevice,
  entry: Pick<AuditEntry, 'action' | 'before' | 'after'>,
  day: string,
  nextFirmware: string | undefined,
): TransactItems {
  const shard = shardOf(device.hwId);
  const { action, before, after } = entry;
  const isNew = before === null;
  const version = (of: string | undefined, by: number) =>
    countAction(table, `version#${device.board}#${of ?? UNKNOWN_FIRMWARE}#${shard}`, { devices: by });
  const changesVersion = nextFirmware !== undefined && nextFirmware !== device.firmware;
  const moved = before?.state !== after.state;
  const states = { ...(before === null ? {} : { [before.state]: -1 }), [after.state]: 1 };
  return [
    ...(moved ? [countAction(table, `status#${shard}`, states)] : []),
    countAction(table, `day#${day}#${shard}`, { [action]: 1 }),
    ...(isNew ? [version(device.firmware, 1)] : []),
    ...(!isNew && changesVersion ? [version(device.firmware, -1), version(nextFirmware, 1)] : []),
  ];
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
