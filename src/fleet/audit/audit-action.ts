import type { TransactItems } from '../../platform/aws/dynamo.ts';
import type { HwId } from '../../platform/ids.ts';
import { AUDIT_PREFIX, SCHEMA } from '../device/stored-items.ts';
import { type AuditEntry, storedEntry } from './audit.ts';

/** For a step's transaction: its audit entry, numbered with the revision that the device has after the step. */
export function auditAction(
  table: string,
  hwId: HwId,
  revision: number,
  entry: AuditEntry,
  time: string,
): TransactItems[number] {
  return {
    Put: {
      TableName: table,
      Item: {
        hw_id: hwId,
        record: `${AUDIT_PREFIX}${String(revision).padStart(9, '0')}`,
        ...storedEntry(entry, time),
        schema: SCHEMA,
      },
    },
  };
}
