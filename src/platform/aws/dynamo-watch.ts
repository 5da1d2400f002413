import type { MiddlewareStack } from '@smithy/types';
import { currentRequest } from '../observability/current-request.ts';
import type { Log } from '../observability/log.ts';

/** A call that takes longer, retries included, is logged. */
const SLOW_MS = 200;

type Needed = Pick<Log, 'warn' | 'isDebug'>;

/** Watches every call to DynamoDB: logs slow ones and, at debug level, adds up each request's consumption. */
export function watchCalls<Input extends object, Output extends object>(
  stack: Pick<MiddlewareStack<Input, Output>, 'add'>,
  log: Needed,
): void {
  stack.add(
    (next, { commandName = 'unknown' }) =>
      async (args) => {
        const started = performance.now();
        try {
          if (!log.isDebug) return await next(args);
          const result = await next({ ...args, input: { ...args.input, ReturnConsumedCapacity: 'TOTAL' } });
          addConsumed(result.output);
          return result;
        } finally {
          const latencyMs = Math.round(performance.now() - started);
          const requestId = currentRequest()?.requestId;
          if (latencyMs > SLOW_MS) log.warn('A DynamoDB call was slow', { requestId, commandName, latencyMs });
        }
      },
    { step: 'initialize', name: 'watch' },
  );
}

function addConsumed(output: object): void {
  const consumed = currentRequest()?.consumed;
  const counted: unknown = 'ConsumedCapacity' in output ? output.ConsumedCapacity : undefined;
  if (consumed === undefined || counted === undefined) return;
  consumed.calls += 1;
  // One entry for a single item, one per table for several.
  for (const entry of Array.isArray(counted) ? counted : [counted]) {
    const units: unknown =
      typeof entry === 'object' && entry !== null && 'CapacityUnits' in entry && entry.CapacityUnits;
    if (typeof units === 'number') consumed.units += units;
  }
}
