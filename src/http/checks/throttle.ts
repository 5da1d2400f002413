import type { RouteContract } from '../define-route.ts';

/** What the gateway lets through of a route, of all callers together; above it, it answers 429 itself. */
export interface Throttle {
  readonly requestsPerSecond: number;
  /** How many may come at the same moment. */
  readonly burst: number;
}

/** What a route gets that is in nobody's list below: the app's everyday. */
const EVERYDAY: Throttle = { requestsPerSecond: 100, burst: 200 };
/** A person at a terminal, or a pipeline. */
const OPERATORS: Throttle = { requestsPerSecond: 10, burst: 20 };
const FACTORY: Throttle = { requestsPerSecond: 20, burst: 40 };
const STRIPE: Throttle = { requestsPerSecond: 50, burst: 100 };
/** Each holds a container for seconds and may cost a provider's credit. */
const PHOTOS: Throttle = { requestsPerSecond: 20, burst: 40 };
const LARGE_BODY_BYTES = 1024 * 1024;

/**
 * A bound for the whole, so that a flood of one route leaves the others their concurrency. The limits of a single
 * caller are the route's `rateLimit`, which is counted by the app.
 */
export function throttleOf({ throttle, auth, domain, bodyLimit = 0, bodyKind }: RouteContract): Throttle {
  if (throttle !== undefined) return throttle;
  if (auth === 'admin' || domain === 'health') return OPERATORS;
  if (auth === 'factory') return FACTORY;
  if (auth === 'stripe') return STRIPE;
  return bodyKind === 'multipart' || bodyLimit > LARGE_BODY_BYTES ? PHOTOS : EVERYDAY;
}
