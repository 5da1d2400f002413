import type { Clock } from '../clock.ts';
import { serviceEndpoint } from './json/service-endpoint.ts';
import { createSignedCalls } from './signed-calls.ts';

/** A function that could not be started. */
class FunctionStartError extends Error {
  override readonly name = 'FunctionStartError';
}

const TIMEOUT_MS = 2_000;

/**
 * Returns a function that starts another Lambda function with an event, without waiting for its work.
 *
 * @throws FunctionStartError, or the network's errors
 */
export function createFunctionStarts(
  region: string,
  env: Readonly<Record<string, string | undefined>>,
  clock: Clock,
): (functionName: string, event: object) => Promise<void> {
  const call = createSignedCalls({
    endpoint: serviceEndpoint(env, { name: 'LAMBDA', host: 'lambda', region }).href.replace(/\/$/, ''),
    ...{ region, service: 'lambda', timeoutMs: TIMEOUT_MS, clock },
    headers: { 'x-amz-invocation-type': 'Event' },
  });
  return async (functionName, event) => {
    const path = `/2015-03-31/functions/${encodeURIComponent(functionName)}/invocations`;
    const { status } = await call('POST', path, JSON.stringify(event));
    if (status !== 202) throw new FunctionStartError(`Lambda answered ${status}`);
  };
}
