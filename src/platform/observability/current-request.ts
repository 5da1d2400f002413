import { AsyncLocalStorage } from 'node:async_hooks';
import type { Patience } from '../resilience/patience.ts';
import type { MetricValue } from './embedded-metrics.ts';

/** DynamoDB's consumption for one request, in capacity units. */
export interface ConsumedUnits {
  calls: number;
  units: number;
}

/** What all code working for a request can read about it. */
export interface CurrentRequest {
  readonly requestId: string;
  /** Collected only at log level DEBUG, since DynamoDB reports it on demand. */
  readonly consumed: ConsumedUnits;
  /** Metrics for the request's own line; undefined once that line is written. */
  metrics?: MetricValue[] | undefined;
  readonly patience: Patience;
}

/** Separates concurrent requests. */
const requests = new AsyncLocalStorage<CurrentRequest>();

/** Runs the work of one request, so that everything logged meanwhile carries its id. */
export function duringRequest<T>(request: CurrentRequest, work: () => T): T {
  return requests.run(request, work);
}

/** Returns undefined outside a request. */
export function currentRequest(): CurrentRequest | undefined {
  return requests.getStore();
}
