import { paginateListBackupVaults } from '@aws-sdk/client-backup';
import { paginateDescribeLogGroups } from '@aws-sdk/client-cloudwatch-logs';
import { paginateListTables } from '@aws-sdk/client-dynamodb';
import { paginateListBuckets } from '@aws-sdk/client-s3';
import { TABLES } from '../../cli/target/place.ts';
import type { DrillClients } from './drill-clients.ts';
import { countVersions, removeBucket } from './remove-bucket.ts';
import { removeTable } from './remove-table.ts';
import { removeVault } from './remove-vault.ts';

/** A resource of an environment that outlives its stack. */
export interface DrillPart {
  readonly kind: 'table' | 'bucket' | 'log group' | 'secret' | 'backup vault';
  readonly name: string;
  /** How much it holds, if known. */
  readonly content?: string;
  remove(signal: AbortSignal): Promise<void>;
}

/** Finds an environment's resources that outlive its stack. They are found by name, even after the stack is gone. */
export async function findParts(clients: DrillClients, environment: string): Promise<readonly DrillPart[]> {
  const found = await Promise.all([
    tables(clients, environment),
    buckets(clients, environment),
    logGroups(clients, environment),
    secrets(clients, environment),
    vaults(clients, environment),
  ]);
  return found.flat();
}

/** The tables, and the copies made by point-in-time recovery. */
async function tables({ dynamo }: DrillClients, environment: string): Promise<readonly DrillPart[]> {
  const ours = new RegExp(`^autowatering-(${TABLES.join('|')})-${environment}(-at-\\d{8}t\\d{6}z)?$`);
  const parts: DrillPart[] = [];
  for await (const { TableNames: names = [] } of paginateListTables({ client: dynamo }, {})) {
    for (const name of names.filter((one) => ours.test(one))) {
      const { Table: table } = await dynamo.describeTable({ TableName: name });
      const shield = table?.DeletionProtectionEnabled === true ? ', protected' : '';
      parts.push({
        ...{ kind: 'table', name, content: `about ${table?.ItemCount ?? 0} items${shield}` },
        remove: (signal) => removeTable(dynamo, name, signal),
      });
    }
  }
  return parts;
}

async function buckets({ s3 }: DrillClients, environment: string): Promise<readonly DrillPart[]> {
  const prefix = `autowatering-artifacts-${environment}-`;
  const ours = new RegExp(`^${prefix}\\d{12}$`);
  const parts: DrillPart[] = [];
  for await (const { Buckets: list = [] } of paginateListBuckets({ client: s3 }, { Prefix: prefix })) {
    for (const { Name: name = '' } of list) {
      if (!ours.test(name)) continue;
      const content = `${await countVersions(s3, name)} versions and delete markers`;
      parts.push({ kind: 'bucket', name, content, remove: () => removeBucket(s3, name) });
    }
  }
  return parts;
}

/** They are deleted with the stack, but created again if the function logs once more after that. */
async function logGroups({ logs }: DrillClients, environment: string): Promise<readonly DrillPart[]> {
  const names = [
    `/aws/lambda/autowatering-backend-${environment}`,
    `/aws/lambda/autowatering-relay-${environment}`,
    `/aws/http-api/autowatering-${environment}`,
    `/aws/websocket-api/autowatering-${environment}`,
  ];
  const parts: DrillPart[] = [];
  for (const name of names) {
    for await (const { logGroups: list = [] } of paginateDescribeLogGroups(
      { client: logs },
      { logGroupNamePrefix: name },
    )) {
      if (!list.some(({ logGroupName: one }) => one === name)) continue;
      const remove = async () => {
        await logs.deleteLogGroup({ logGroupName: name });
      };
      parts.push({ kind: 'log group', name, remove });
    }
  }
  return parts;
}

async function secrets({ secrets: manager }: DrillClients, environment: string): Promise<readonly DrillPart[]> {
  const name = `autowatering-backend-${environment}/secrets`;
  try {
    const { DeletedDate: deleted } = await manager.describeSecret({ SecretId: name });
    if (deleted !== undefined) return [];
  } catch (error) {
    if (error instanceof Error && error.name === 'ResourceNotFoundException') return [];
    throw error;
  }
  const remove = async () => {
    // Without a recovery window, so that the next drill can use the name.
    await manager.deleteSecret({ SecretId: name, ForceDeleteWithoutRecovery: true });
  };
  return [{ kind: 'secret', name, remove }];
}

async function vaults({ backup }: DrillClients, environment: string): Promise<readonly DrillPart[]> {
  const wanted = `autowatering-${environment}`;
  for await (const { BackupVaultList: list = [] } of paginateListBackupVaults({ client: backup }, {})) {
    const vault = list.find(({ BackupVaultName: name }) => name === wanted);
    if (vault === undefined) continue;
    const content = `${vault.NumberOfRecoveryPoints ?? 0} backups`;
    return [{ kind: 'backup vault', name: wanted, content, remove: () => removeVault(backup, wanted) }];
  }
  return [];
}
