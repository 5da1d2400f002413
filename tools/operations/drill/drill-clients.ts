import { Backup } from '@aws-sdk/client-backup';
import { CloudFormation } from '@aws-sdk/client-cloudformation';
import { CloudWatchLogs } from '@aws-sdk/client-cloudwatch-logs';
import { DynamoDB } from '@aws-sdk/client-dynamodb';
import { S3 } from '@aws-sdk/client-s3';
import { SecretsManager } from '@aws-sdk/client-secrets-manager';

const TIME_LIMITS = { connectionTimeout: 3_000, requestTimeout: 30_000, throwOnRequestTimeout: true };

/** Clients for every AWS service that an environment uses, with the caller's credentials. */
export function drillClients(region: string | undefined) {
  const settings = { requestHandler: TIME_LIMITS, ...(region !== undefined && { region }) };
  return {
    backup: new Backup(settings),
    cloudFormation: new CloudFormation(settings),
    dynamo: new DynamoDB(settings),
    logs: new CloudWatchLogs(settings),
    s3: new S3({ ...settings, forcePathStyle: true }),
    secrets: new SecretsManager(settings),
  };
}

export type DrillClients = ReturnType<typeof drillClients>;
