import type { RouteContract, Throttle } from '../route-contract.ts';

/** The default, for the app's everyday routes. */
const EVERYDAY: Throttle = { requestsPerSecond: 100, burst: 200 };
/** People at a terminal, and pipelines. */
const OPERATORS: Throttle = { requestsPerSecond: 10, burst: 20 };
const FACTORY: Throttle = { requestsPerSecond: 20, burst: 40 };
const STRIPE: Throttle = { requestsPerSecond: 50, burst: 100 };
/** Each occupies a container for seconds and may cost a provider credit. */
const PHOTOS: Throttle = { requestsPerSecond: 20, burst: 40 };
const LARGE_BODY_BYTES = 1024 * 1024;

/**
 * A limit across all callers, so that a flood on one route leaves concurrency for the others. The app counts each
 * caller's own limit, the route's `rateLimit`.
 */
export function throttleOf({ throttle, auth, domain, bodyLimit = 0, bodyKind }: RouteContract): Throttle {
  if (throttle !== undefined) return throttle;
  if (auth === 'admin' || domain === 'health') return OPERATORS;
  if (auth === 'factory') return FACTORY;
  if (auth === 'stripe') return STRIPE;
  return bodyKind === 'multipart' || bodyLimit > LARGE_BODY_BYTES ? PHOTOS : EVERYDAY;
}
