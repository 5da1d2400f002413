import { type DynamoDB, waitUntilTableExists, waitUntilTableNotExists } from '@aws-sdk/client-dynamodb';

const LONGEST_SECONDS = 600;

/**
 * Removes a table, its deletion protection and its backups. Point-in-time recovery is turned off first: otherwise
 * DynamoDB would keep a final backup with all the data for 35 days.
 */
export async function removeTable(dynamo: DynamoDB, name: string, signal: AbortSignal): Promise<void> {
  const waiting = { client: dynamo, maxWaitTime: LONGEST_SECONDS, minDelay: 1, maxDelay: 10, abortSignal: signal };
  const { Table: table } = await dynamo.describeTable({ TableName: name });
  if (await hasRecovery(dynamo, name)) {
    await dynamo.updateContinuousBackups({
      TableName: name,
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: false },
    });
  }
  if (table?.DeletionProtectionEnabled === true) {
    await dynamo.updateTable({ TableName: name, DeletionProtectionEnabled: false });
    await waitUntilTableExists(waiting, { TableName: name });
  }
  await dynamo.deleteTable({ TableName: name });
  await waitUntilTableNotExists(waiting, { TableName: name });
}

async function hasRecovery(dynamo: DynamoDB, name: string): Promise<boolean> {
  const { ContinuousBackupsDescription: backups } = await dynamo.describeContinuousBackups({ TableName: name });
  return backups?.PointInTimeRecoveryDescription?.PointInTimeRecoveryStatus === 'ENABLED';
}
