import type { HandlerExecutionContext, MiddlewareStack } from '@smithy/types';
import { currentRequest } from '../observability/current-request.ts';
import { createPatience } from './patience.ts';
import { TimeLimitError, withTimeLimit } from './time-limit.ts';

/** What the backend can do little without. Stripe and the plant providers have errors of their own. */
export type Dependency = 'Cognito' | 'DynamoDB' | 'S3' | 'Secrets Manager';

/** A service of AWS does not answer, or answers that it is in trouble. Whether a write was done is not known. */
export class DependencyUnavailableError extends Error {
  override readonly name = 'DependencyUnavailableError';
  readonly dependency: Dependency;

  constructor(dependency: Dependency, cause: unknown) {
    super(`${dependency} is not available: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.dependency = dependency;
  }
}

/** Outside of any request: at a local server's start, say. */
const WITHOUT_REQUEST_MS = 3_000;
/** With less time than this left, a call is not worth starting. */
const LEAST_MS = 20;

/**
 * Waits for a dependency no longer than the request can still afford (`patience.ts`).
 *
 * @param work gets a signal that is aborted when the time is up
 * @throws DependencyUnavailableError when it does not answer in time, can't be reached, or says that it is in trouble
 */
export async function whileAvailable<T>(dependency: Dependency, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const patience = currentRequest()?.patience ?? createPatience(WITHOUT_REQUEST_MS);
  const ms = patience.allowance(dependency);
  if (ms < LEAST_MS) throw new DependencyUnavailableError(dependency, new Error('it has just failed this request'));
  const started = performance.now();
  try {
    return await withTimeLimit(ms, work);
  } catch (error) {
    if (!isUnavailable(error)) throw error;
    patience.spend(dependency, performance.now() - started);
    throw new DependencyUnavailableError(dependency, error);
  }
}

/** Bounds every call of an AWS client, with all its attempts; once a call is given up, it is not attempted again. */
export function boundCalls<Input extends object, Output extends object>(
  stack: Pick<MiddlewareStack<Input, Output>, 'add'>,
  dependency: Dependency,
): void {
  const signals = new WeakMap<HandlerExecutionContext, AbortSignal>();
  stack.add(
    (next, context) => (args) =>
      whileAvailable(dependency, (signal) => {
        signals.set(context, signal);
        return next(args);
      }),
    { step: 'initialize', name: 'boundCall' },
  );
  stack.add(
    (next, context) => async (args) => {
      signals.get(context)?.throwIfAborted();
      return next(args);
    },
    // After the SDK's own retrying, so that it is asked before every attempt.
    { step: 'finalizeRequest', name: 'stopAttempts', priority: 'low' },
  );
}

const THROTTLED = new Set([
  'LimitExceededException',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'SlowDown',
  'ThrottlingException',
  'TooManyRequestsException',
  'TransactionInProgressException',
]);

/** Whether the error is the other side's trouble, and not a mistake in what was asked. */
function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof TimeLimitError || THROTTLED.has(error.name)) return true;
  const status = statusOf(error);
  // Connections that are refused, cut or silent: Node's errors have a code, the SDK's limits this name.
  if (status === undefined || status < 400) return error.name === 'TimeoutError' || isNetworkError(error);
  return status >= 500;
}

/** Whether Node says so; a wrong argument has a code as well, and is a mistake of ours. */
function isNetworkError(error: Error): boolean {
  return 'code' in error && typeof error.code === 'string' && !error.code.startsWith('ERR_INVALID_');
}

function statusOf(error: Error): number | undefined {
  const metadata: unknown = '$metadata' in error ? error.$metadata : undefined;
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return undefined;
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined;
}
