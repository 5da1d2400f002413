import type { HandlerExecutionContext, MiddlewareStack } from '@smithy/types';
import { currentRequest } from '../observability/current-request.ts';
import { createPatience } from './patience.ts';
import { TimeLimitError, withTimeLimit } from './time-limit.ts';

/** Services that nearly everything depends on. Stripe and the plant providers have errors of their own. */
export type Dependency = 'Cognito' | 'DynamoDB' | 'S3' | 'Secrets Manager';

/** An AWS service does not answer, or reports a failure. A write may or may not have happened. */
export class DependencyUnavailableError extends Error {
  override readonly name = 'DependencyUnavailableError';
  readonly dependency: Dependency;

  constructor(dependency: Dependency, cause: unknown) {
    super(`${dependency} is not available: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.dependency = dependency;
  }
}

/** For calls outside a request, e.g. when a local server starts. */
const WITHOUT_REQUEST_MS = 3_000;
/** With less time than this left, a call is not worth starting. */
const LEAST_MS = 20;

/**
 * Waits for a dependency no longer than the request can still afford (`patience.ts`).
 *
 * @param work gets a signal that is aborted when the time is up
 * @throws DependencyUnavailableError when it does not answer in time, can't be reached, or reports a failure
 */
export async function whileAvailable<T>(dependency: Dependency, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const patience = currentRequest()?.patience ?? createPatience(WITHOUT_REQUEST_MS);
  const ms = patience.allowance(dependency);
  if (ms < LEAST_MS)
    throw new DependencyUnavailableError(dependency, new Error('it has already failed in this request'));
  const started = performance.now();
  try {
    return await withTimeLimit(ms, work);
  } catch (error) {
    if (!isUnavailable(error)) throw error;
    patience.spend(dependency, performance.now() - started);
    throw new DependencyUnavailableError(dependency, error);
  }
}

/** Limits the time of every call of an AWS client, retries included; an abandoned call is not retried. */
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
    // After the SDK's own retry step, so that it runs before every attempt.
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

/** Checks whether the other side is failing, as opposed to a mistake in the request. */
export function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof TimeLimitError || THROTTLED.has(error.name)) return true;
  const status = statusOf(error);
  // Refused, broken or silent connections: Node's errors have a code, the SDK's timeouts have this name.
  if (status === undefined || status < 400) return error.name === 'TimeoutError' || isNetworkError(error);
  return status >= 500;
}

/** Checks for Node's network errors; an invalid argument has a code as well, but is our own mistake. */
function isNetworkError(error: Error): boolean {
  return 'code' in error && typeof error.code === 'string' && !error.code.startsWith('ERR_INVALID_');
}

function statusOf(error: Error): number | undefined {
  const metadata: unknown = '$metadata' in error ? error.$metadata : undefined;
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return undefined;
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined;
}
