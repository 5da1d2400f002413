import { DynamoDB } from '@aws-sdk/client-dynamodb';
import { S3 } from '@aws-sdk/client-s3';
import { DEFAULT_DIRECTORY, readStackFile } from '../../run/local-stack/stack-file.ts';
import { PlainError } from '../plain-error.ts';
import { type AwsOptions, type AwsPlace, settleAws } from './aws-place.ts';
import { isAtTerminal, namedSystem, type SystemOptions } from './named-system.ts';
import { type Purpose, sayWhere } from './say-where.ts';

/** The short names of an environment's tables. */
export const TABLES = ['users', 'provisioning', 'ota-releases', 'rate-limits', 'relay', 'garden'] as const;
export type TableName = (typeof TABLES)[number];

/** The tables of an environment in AWS or of a local stack. */
export interface TablePlace {
  readonly environment: string;
  readonly dynamo: DynamoDB;
  tableName(table: TableName): string;
}

/** Tables and bucket. */
export interface Place extends TablePlace {
  readonly s3: S3;
  readonly bucket: string;
}

export interface TablePlaceOptions extends SystemOptions, AwsOptions {
  readonly dynamodbUrl?: string;
  readonly yes?: boolean;
}

export interface PlaceOptions extends TablePlaceOptions {
  readonly bucket?: string;
  readonly s3Url?: string;
}

type Intent = Omit<Purpose, 'yes'>;

const LOCAL_ENVIRONMENT = 'local';
const LOCAL = { region: 'eu-central-1', credentials: { accessKeyId: 'local', secretAccessKey: 'local' } };
const TIME_LIMITS = { connectionTimeout: 3_000, requestTimeout: 30_000, throwOnRequestTimeout: true };

/**
 * Finds the tables of the named system and prints which one it is: an environment in AWS, accessed with the caller's
 * credentials, or else the local stack.
 *
 * @throws UsageError if no system or more than one is named; PlainError if it is not running
 */
export async function findTables(options: TablePlaceOptions, purpose: Intent): Promise<TablePlace> {
  const environment = environmentOf(options);
  if (environment === undefined) {
    const stack = await runningStack(options, purpose);
    return tablesOf(LOCAL_ENVIRONMENT, stack.dynamodb.endpoint);
  }
  const { dynamodbUrl: url } = options;
  const aws = url === undefined ? await settleAws(options) : undefined;
  await sayWhere(environment, aws === undefined ? `at ${url}` : `in AWS (${aws.text})`, withYes(purpose, options));
  return tablesOf(environment, url, aws?.region);
}

/** Like `findTables`, with the bucket. */
export async function findPlace(options: PlaceOptions, purpose: Intent): Promise<Place> {
  const environment = environmentOf(options);
  if (environment === undefined) {
    const { dynamodb, s3 } = await runningStack(options, purpose);
    return { ...tablesOf(LOCAL_ENVIRONMENT, dynamodb.endpoint), ...bucketOf(s3.bucket, s3.endpoint) };
  }
  const { dynamodbUrl, s3Url } = options;
  const isElsewhere = dynamodbUrl !== undefined && s3Url !== undefined;
  const aws = isElsewhere ? undefined : await settleAws(options);
  await sayWhere(
    environment,
    aws === undefined ? `at ${dynamodbUrl} and ${s3Url}` : `in AWS (${aws.text})`,
    withYes(purpose, options),
  );
  const bucket = options.bucket ?? (await bucketOfStack(s3Url, aws));
  return { ...tablesOf(environment, dynamodbUrl, aws?.region), ...bucketOf(bucket, s3Url, aws?.region) };
}

function withYes(purpose: Intent, { yes }: TablePlaceOptions): Purpose {
  return { ...purpose, yes };
}

function environmentOf(options: TablePlaceOptions): string | undefined {
  const system = namedSystem(options, { apiBaseUrl: undefined, atTerminal: isAtTerminal() });
  return system.kind === 'environment' ? system.environment : undefined;
}

async function bucketOfStack(s3Url: string | undefined, aws: AwsPlace | undefined): Promise<string> {
  if (s3Url !== undefined || aws?.stackName === undefined) {
    throw new PlainError('--s3-url also needs --bucket.');
  }
  const { environmentStack } = await import('./environment-stack.ts');
  return (await environmentStack(aws.stackName, aws.region)).output('ArtifactBucketName');
}

async function runningStack({ stack: directory, local }: TablePlaceOptions, purpose: Intent) {
  const stack = await readStackFile(directory ?? DEFAULT_DIRECTORY);
  if (stack === undefined)
    throw new PlainError('No local stack is running. Start one with "npm run dev", or pass --env.');
  const isDefault = directory === undefined && local !== true;
  const why = isDefault ? ' (the default on a terminal; use --env for another)' : '';
  await sayWhere(undefined, `the local stack at ${stack.dynamodb.endpoint}${why}`, purpose);
  return stack;
}

function tablesOf(environment: string, localUrl: string | undefined, region?: string): TablePlace {
  return {
    environment,
    dynamo: new DynamoDB({
      requestHandler: TIME_LIMITS,
      ...(region !== undefined && { region }),
      ...(localUrl !== undefined && { ...LOCAL, endpoint: localUrl }),
    }),
    tableName: (table) => `autowatering-${table}-${environment}`,
  };
}

function bucketOf(bucket: string, localUrl: string | undefined, region?: string): Pick<Place, 's3' | 'bucket'> {
  const s3 = new S3({
    requestHandler: TIME_LIMITS,
    ...(region !== undefined && { region }),
    ...(localUrl !== undefined && { ...LOCAL, endpoint: localUrl, forcePathStyle: true }),
  });
  return { s3, bucket };
}
