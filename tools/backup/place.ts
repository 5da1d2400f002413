import { DynamoDB } from '@aws-sdk/client-dynamodb';
import { S3 } from '@aws-sdk/client-s3';
import { PlainError } from '../cli/plain-error.ts';
import { DEFAULT_DIRECTORY, readStackFile } from '../local-stack/stack-file.ts';

/** The tables of an environment, by the name that a backup calls them. */
export const TABLES = ['users', 'provisioning', 'ota-releases', 'rate-limits'] as const;
export type TableName = (typeof TABLES)[number];

/** Where data is read from or put back: an environment in AWS, or a stack on this machine. */
export interface Place {
  readonly environment: string;
  readonly dynamo: DynamoDB;
  readonly s3: S3;
  readonly bucket: string;
  tableName(table: TableName): string;
}

export interface PlaceOptions {
  readonly env?: string;
  readonly region?: string;
  readonly bucket?: string;
  readonly stack?: string;
  readonly dynamodbUrl?: string;
  readonly s3Url?: string;
}

const LOCAL_ENVIRONMENT = 'local';
const LOCAL = { region: 'eu-central-1', credentials: { accessKeyId: 'local', secretAccessKey: 'local' } };
const TIME_LIMITS = { connectionTimeout: 3_000, requestTimeout: 30_000, throwOnRequestTimeout: true };

/**
 * With an environment's name the one in AWS, by the credentials of whoever calls; without, the stack that runs here.
 *
 * @throws PlainError when neither is there
 */
export async function findPlace(options: PlaceOptions): Promise<Place> {
  const { env, region, bucket, stack: directory, dynamodbUrl, s3Url } = options;
  const stack = await readStackFile(directory ?? DEFAULT_DIRECTORY);
  if (env === undefined && stack !== undefined) {
    return placeOf(LOCAL_ENVIRONMENT, stack.s3.bucket, { dynamodb: stack.dynamodb.endpoint, s3: stack.s3.endpoint });
  }
  if (env === undefined) throw new PlainError('No stack runs here. Start one with "npm run dev", or pass --env.');
  if (bucket === undefined) {
    throw new PlainError('--env needs --bucket as well: the stack’s output ArtifactBucketName tells its name.');
  }
  const isLocal = dynamodbUrl !== undefined && s3Url !== undefined;
  return isLocal ? placeOf(env, bucket, { dynamodb: dynamodbUrl, s3: s3Url }) : placeOf(env, bucket, undefined, region);
}

function placeOf(
  environment: string,
  bucket: string,
  local: { readonly dynamodb: string; readonly s3: string } | undefined,
  region?: string,
): Place {
  const common = { requestHandler: TIME_LIMITS, ...(region !== undefined && { region }) };
  return {
    ...{ environment, bucket },
    dynamo: new DynamoDB({ ...common, ...(local && { ...LOCAL, endpoint: local.dynamodb }) }),
    s3: new S3({ ...common, ...(local && { ...LOCAL, endpoint: local.s3, forcePathStyle: true }) }),
    tableName: (table) => `autowatering-${table}-${environment}`,
  };
}
