import { waitUntilTableExists } from '@aws-sdk/client-dynamodb';
import { PlainError } from '../../cli/plain-error.ts';
import type { TableName, TablePlace } from '../../cli/target/place.ts';

/** Restoring a large table takes hours. If stopped, the command resumes when it is run again. */
const LONGEST_SECONDS = 6 * 60 * 60;

/** Returns the name of a table's copy as of a point in time; the same time gives the same copy. */
export function recoveredName(place: TablePlace, table: TableName, at: Date): string {
  const stamp = at.toISOString().replace(/\.\d+/, '').replaceAll(/[-:]/g, '').toLowerCase();
  return `${place.tableName(table)}-at-${stamp}`;
}

/** Has DynamoDB create the copy, unless an earlier run has, and waits until it exists. */
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
      return new PlainError(`${table} can't be recovered to that time: ${error.message}`);
    case 'TableNotFoundException':
    case 'ResourceNotFoundException':
      return new PlainError(`There is no table ${table}. Restore a deleted table from AWS Backup.`);
    default:
      return error;
  }
}
