import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { DynamoDBDocument, TransactWriteCommandInput } from '@aws-sdk/lib-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { Config } from '../config.ts';
import type { Randomness, Uid } from '../ids.ts';
import type { Log } from '../observability/log.ts';
import { boundCalls, DependencyUnavailableError } from '../resilience/dependency.ts';
import { retry } from '../resilience/retry.ts';
import { watchCalls } from './dynamo-watch.ts';
import { traceCalls } from './traced-client.ts';

/** The document client, created on first use: `/health` never loads it. */
export type Documents = () => Promise<DynamoDBDocument>;

/** Share of a call's time within which a connection must be established, or another one is tried. */
const CONNECT_SHARE = 1 / 3;

/** Creates the client, with at most three attempts per call. */
export async function createDocuments(
  { region, dynamoDbTimeoutMs: requestTimeout }: Pick<Config, 'region' | 'dynamoDbTimeoutMs'>,
  log: Pick<Log, 'warn' | 'isDebug'>,
): Promise<DynamoDBDocument> {
  const [{ DynamoDBClient }, { DynamoDBDocument: Document }, { awsCredentials }] = await Promise.all([
    import('@aws-sdk/client-dynamodb'),
    import('@aws-sdk/lib-dynamodb'),
    import('./credentials.ts'),
  ]);
  const client = new DynamoDBClient({
    region,
    credentials: await awsCredentials(),
    maxAttempts: 3,
    requestHandler: { connectionTimeout: requestTimeout * CONNECT_SHARE, requestTimeout, throwOnRequestTimeout: true },
  });
  traceCalls(client.middlewareStack, 'DynamoDB');
  watchCalls(client.middlewareStack, log);
  boundCalls(client.middlewareStack, 'DynamoDB');
  return Document.from(client, { marshallOptions: { removeUndefinedValues: true } });
}

export type TransactItems = NonNullable<TransactWriteCommandInput['TransactItems']>;

/** Returns an action that fails while the user's account is being deleted; supplied by the account domain. */
export type AliveCheck = (uid: Uid) => TransactItems[number];

/** DynamoDB's reason for one action of a cancelled transaction. */
export interface CancellationReason {
  readonly code: string;
  /** The current item, if the action asked for it (`ReturnValuesOnConditionCheckFailure`). */
  readonly item?: Record<string, unknown>;
}

export type TransactOutcome =
  | { readonly committed: true }
  | { readonly committed: false; readonly reasons: readonly CancellationReason[] };

const TRANSACT_RETRY = { attempts: 6, baseMs: 40 } as const;

/**
 * Writes all items or none. A failed condition is an outcome, not an exception; a conflict with another transaction on
 * the same item is retried.
 *
 * @throws any other error of DynamoDB; DependencyUnavailableError when the conflict persists
 */
export async function transactWrite(
  documents: Documents,
  randomness: Pick<Randomness, 'fraction'>,
  items: TransactItems,
): Promise<TransactOutcome> {
  const client = await documents();
  return retry(TRANSACT_RETRY, randomness, isTransactionClash, async () => {
    try {
      await client.transactWrite({ TransactItems: items });
      return { committed: true } as const;
    } catch (error) {
      const reasons = cancellationReasons(error);
      if (reasons === undefined || !reasons.some((reason) => reason.code === 'ConditionalCheckFailed')) throw error;
      return { committed: false, reasons } as const;
    }
  }).catch((error: unknown) => {
    throw isTransactionClash(error) ? new DependencyUnavailableError('DynamoDB', error) : error;
  });
}

function isTransactionClash(error: unknown): boolean {
  if (isNamed(error, 'TransactionInProgressException') || isNamed(error, 'TransactionConflictException')) return true;
  const reasons = cancellationReasons(error) ?? [];
  return reasons.some((reason) => reason.code === 'TransactionConflict' || reason.code === 'ThrottlingError');
}

function cancellationReasons(error: unknown): CancellationReason[] | undefined {
  if (!isNamed(error, 'TransactionCanceledException') || !('CancellationReasons' in error)) return undefined;
  const { CancellationReasons: reasons } = error;
  if (!Array.isArray(reasons)) return undefined;
  return reasons.map((reason: unknown) => {
    const item = itemOn(reason);
    const code = isRecord(reason) && typeof reason['Code'] === 'string' ? reason['Code'] : 'None';
    return item === undefined ? { code } : { code, item };
  });
}

/** Returns the current item (if any) when a single write failed its condition; undefined for every other error. */
export function failedCondition(error: unknown): { readonly item: Record<string, unknown> | undefined } | undefined {
  if (!isNamed(error, 'ConditionalCheckFailedException')) return undefined;
  return { item: itemOn(error) };
}

function isNamed(error: unknown, name: string): error is Error {
  return error instanceof Error && error.name === name;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function isAttributeMap(value: unknown): value is Record<string, AttributeValue> {
  return isRecord(value);
}

/** The SDK decodes answers, but not an item attached to an exception: that is still in DynamoDB's own notation. */
function itemOn(value: unknown): Record<string, unknown> | undefined {
  const item = isRecord(value) ? value['Item'] : undefined;
  return isAttributeMap(item) ? unmarshall(item) : undefined;
}
