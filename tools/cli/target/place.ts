import { DynamoDB } from '@aws-sdk/client-dynamodb';
import { S3 } from '@aws-sdk/client-s3';
import { DEFAULT_DIRECTORY, readStackFile } from '../../run/local-stack/stack-file.ts';
import { PlainError } from '../plain-error.ts';

/** The tables of an environment, by the name that tools call them. */
export const TABLES = ['users', 'provisioning', 'ota-releases', 'rate-limits'] as const;
export type TableName = (typeof TABLES)[number];

/** Where items are: an environment in AWS, or a stack on this machine. */
export interface TablePlace {
  readonly environment: string;
  readonly dynamo: DynamoDB;
  tableName(table: TableName): string;
}

/** The same with the bucket beside the tables. */
export interface Place extends TablePlace {
  readonly s3: S3;
  readonly bucket: string;
}

export interface TablePlaceOptions {
  readonly env?: string;
  readonly region?: string;
  readonly stack?: string;
  readonly dynamodbUrl?: string;
}

export interface PlaceOptions extends TablePlaceOptions {
  readonly bucket?: string;
  readonly s3Url?: string;
}

const LOCAL_ENVIRONMENT = 'local';
const LOCAL = { region: 'eu-central-1', credentials: { accessKeyId: 'local', secretAccessKey: 'local' } };
const TIME_LIMITS = { connectionTimeout: 3_000, requestTimeout: 30_000, throwOnRequestTimeout: true };

/**
 * With an environment's name the tables in AWS, by the credentials of whoever calls; without, the stack that runs here.
 *
 * @throws PlainError when neither is there
 */
export async function findTables(options: TablePlaceOptions): Promise<TablePlace> {
  const { env, region, dynamodbUrl } = options;
  if (env !== undefined) return tablesOf(env, dynamodbUrl, region);
  const stack = await runningStack(options);
  return tablesOf(LOCAL_ENVIRONMENT, stack.dynamodb.endpoint);
}

/** As `findTables`, and the bucket beside them. */
export async function findPlace(options: PlaceOptions): Promise<Place> {
  const { env, region, bucket, dynamodbUrl, s3Url } = options;
  if (env === undefined) {
    const { dynamodb, s3 } = await runningStack(options);
    return { ...tablesOf(LOCAL_ENVIRONMENT, dynamodb.endpoint), ...bucketOf(s3.bucket, s3.endpoint) };
  }
  if (bucket === undefined) {
    throw new PlainError('--env needs --bucket as well: the stack’s output ArtifactBucketName tells its name.');
  }
  return { ...tablesOf(env, dynamodbUrl, region), ...bucketOf(bucket, s3Url, region) };
}

async function runningStack({ stack: directory }: TablePlaceOptions) {
  const stack = await readStackFile(directory ?? DEFAULT_DIRECTORY);
  if (stack === undefined) throw new PlainError('No stack runs here. Start one with "npm run dev", or pass --env.');
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
