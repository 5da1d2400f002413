import type { TransactWriteCommandInput } from '@aws-sdk/lib-dynamodb';
import type { Config } from '../config.ts';
import type { Randomness, Uid } from '../ids.ts';
import type { Log } from '../observability/log.ts';
import { DependencyUnavailableError } from '../resilience/dependency.ts';
import { retry } from '../resilience/retry.ts';
import { fromAttributes } from './attribute-values.ts';
import { createDocumentClient, type DocumentClient } from './documents.ts';
import { watchCalls } from './dynamodb/dynamo-watch.ts';
import { serviceEndpoint } from './json/service-endpoint.ts';

/** The document client, created on first use: `/health` never loads it. */
export type Documents = () => Promise<DocumentClient>;

/** Share of a call's time within which a connection must be established, or another one is tried. */
const CONNECT_SHARE = 1 / 3;

/** Creates the client, with at most three attempts per call. */
export async function createDocuments(
  { region, dynamoDbTimeoutMs: silentMs }: Pick<Config, 'region' | 'dynamoDbTimeoutMs'>,
  env: Readonly<Record<string, string | undefined>>,
  log: Pick<Log, 'warn' | 'isDebug'>,
  randomness: Pick<Randomness, 'fraction' | 'id'>,
): Promise<DocumentClient> {
  const [{ createJsonService }, { awsCredentials }] = await Promise.all([
    import('./json/json-service.ts'),
    import('./credentials.ts'),
  ]);
  const service = createJsonService({
    dependency: 'DynamoDB',
    spanName: 'DynamoDB',
    signingName: 'dynamodb',
    targetPrefix: 'DynamoDB_20120810',
    jsonVersion: '1.0',
    endpoint: serviceEndpoint(env, { name: 'DYNAMODB', host: 'dynamodb', region }),
    region,
    limits: { connectMs: silentMs * CONNECT_SHARE, silentMs },
    credentials: await awsCredentials(),
    randomness,
  });
  return createDocumentClient(watchCalls(service, log), randomness);
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

/** Runs a single conditional write. Returns false if its condition was not met. */
export async function wasConditionMet(write: () => Promise<unknown>): Promise<boolean> {
  const written = await ifConditionMet(async () => ({ answer: await write() }));
  return written !== undefined;
}

/** Runs a single conditional write. Returns what it returns; undefined if its condition was not met. */
export async function ifConditionMet<T>(write: () => Promise<T>): Promise<T | undefined> {
  try {
    return await write();
  } catch (error) {
    if (failedCondition(error) === undefined) throw error;
    return undefined;
  }
}

function isNamed(error: unknown, name: string): error is Error {
  return error instanceof Error && error.name === name;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** An item attached to an exception is still in DynamoDB's own notation. */
function itemOn(value: unknown): Record<string, unknown> | undefined {
  return isRecord(value) ? fromAttributes(value['Item']) : undefined;
}
