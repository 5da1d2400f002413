import { AsyncLocalStorage } from 'node:async_hooks';
import type { Patience } from '../resilience/patience.ts';
import type { MetricValue } from './embedded-metrics.ts';

/** What DynamoDB has counted for one request, in capacity units. */
export interface ConsumedUnits {
  calls: number;
  units: number;
}

/** What is known of a request wherever its work is done. */
export interface CurrentRequest {
  readonly requestId: string;
  /** Summed up only where the log is in debug: DynamoDB has to be asked to count. */
  readonly consumed: ConsumedUnits;
  /** What was counted so far, for the line that ends the request; undefined once that line is written. */
  metrics?: MetricValue[] | undefined;
  readonly patience: Patience;
}

/** Which request the code that asks is working for; each sees its own, however many run at the same time. */
const requests = new AsyncLocalStorage<CurrentRequest>();

/** Does the work of one request: whatever is logged on the way outside can name it. */
export function duringRequest<T>(request: CurrentRequest, work: () => T): T {
  return requests.run(request, work);
}

/** Undefined outside of any request. */
export function currentRequest(): CurrentRequest | undefined {
  return requests.getStore();
}
