import { currentRequest } from '../../observability/current-request.ts';
import type { Log } from '../../observability/log.ts';
import type { JsonService } from '../json/json-service.ts';

/** A call that takes longer, retries included, is logged. */
const SLOW_MS = 200;

type Needed = Pick<Log, 'warn' | 'isDebug'>;

/** Watches every call to DynamoDB: logs slow ones and, at debug level, adds up each request's consumption. */
export function watchCalls(service: JsonService, log: Needed): JsonService {
  return {
    async call(operation, input, signal) {
      const started = performance.now();
      try {
        if (!log.isDebug) return await service.call(operation, input, signal);
        const answer = await service.call(operation, { ...input, ReturnConsumedCapacity: 'TOTAL' }, signal);
        addConsumed(answer['ConsumedCapacity']);
        return answer;
      } finally {
        const latencyMs = Math.round(performance.now() - started);
        if (latencyMs > SLOW_MS) {
          const requestId = currentRequest()?.requestId;
          log.warn('A DynamoDB call was slow', { requestId, commandName: `${operation}Command`, latencyMs });
        }
      }
    },
  };
}

function addConsumed(counted: unknown): void {
  const consumed = currentRequest()?.consumed;
  if (consumed === undefined || counted === undefined) return;
  consumed.calls += 1;
  // One entry for a single item, one per table for several.
  for (const entry of Array.isArray(counted) ? counted : [counted]) {
    const units: unknown =
      typeof entry === 'object' && entry !== null && 'CapacityUnits' in entry && entry.CapacityUnits;
    if (typeof units === 'number') consumed.units += units;
  }
}
