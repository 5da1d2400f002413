import { waitUntilTableExists } from '@aws-sdk/client-dynamodb';
import { PlainError } from '../../cli/plain-error.ts';
import type { TableName, TablePlace } from '../../cli/target/place.ts';

/** A restore of a large table takes hours; stopped meanwhile, the command goes on when it is run again. */
const LONGEST_SECONDS = 6 * 60 * 60;

/** The name of the copy of a table as it was at a moment: the same moment is the same copy. */
export function recoveredName(place: TablePlace, table: TableName, at: Date): string {
  const stamp = at.toISOString().replace(/\.\d+/, '').replaceAll(/[-:]/g, '').toLowerCase();
  return `${place.tableName(table)}-at-${stamp}`;
}

/** Lets DynamoDB make the copy, unless an earlier run has, and waits until it is there. */
export async function recoverTable(place: TablePlace, table: TableName, at: Date, signal: AbortSignal): Promise<void> {
  const { dynamo } = place;
  const name = recoveredName(place, table, at);
  if (!(await isThere(place, name))) {
    try {
      await dynamo.restoreTableToPointInTime({
        ...{ SourceTableName: place.tableName(table), TargetTableName: name, RestoreDateTime: at },
      });
    } catch (error) {
      throw explained(error, place.tableName(table));
    }
  }
  await waitUntilTableExists(
    { client: dynamo, maxWaitTime: LONGEST_SECONDS, minDelay: 1, maxDelay: 20, abortSignal: signal },
    { TableName: name },
  );
}

async function isThere({ dynamo }: TablePlace, name: string): Promise<boolean> {
  try {
    await dynamo.describeTable({ TableName: name });
    return true;
  } catch (error) {
    if (error instanceof Error && error.name === 'ResourceNotFoundException') return false;
    throw error;
  }
}

function explained(error: unknown, table: string): unknown {
  if (!(error instanceof Error)) return error;
  switch (error.name) {
    case 'PointInTimeRecoveryUnavailableException':
      return new PlainError(`${table} has no point-in-time recovery: it is off in dev.`);
    case 'InvalidRestoreTimeException':
      return new PlainError(`${table} can not be recovered to that moment: ${error.message}`);
    case 'TableNotFoundException':
    case 'ResourceNotFoundException':
      return new PlainError(`There is no table ${table}. A table that was deleted is restored from AWS Backup.`);
    default:
      return error;
  }
}
