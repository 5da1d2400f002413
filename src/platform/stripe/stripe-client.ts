import type Stripe from 'stripe';
import type { Secrets } from '../aws/secrets.ts';
import type { Clock } from '../clock.ts';
import type { Log } from '../observability/log.ts';
import type { Metrics } from '../observability/metrics.ts';
import { traced } from '../observability/tracing.ts';
import { type CircuitBreaker, CircuitOpenError, createCircuitBreaker } from '../resilience/circuit-breaker.ts';
import { StripeNotConfiguredError, StripeUnavailableError, translated } from './stripe-errors.ts';

/** Time limits and retries of all calls to Stripe. */
const READ = { timeout: 2_000, maxNetworkRetries: 1 } as const;
/** The SDK gives each write an idempotency key and repeats it in its retry, so that nothing is written twice. */
const WRITE = { timeout: 5_000, maxNetworkRetries: 1 } as const;
/** Giving up early costs little: Stripe redelivers a failed webhook, and a status falls back to the snapshot. */
const BREAKER = { failuresToOpen: 3, openMs: 15_000 } as const;

type Call<T> = (stripe: Stripe, options: Stripe.RequestOptions) => Promise<T>;

export interface StripeClient {
  /** @throws StripeUnavailableError, StripeRefusedError */
  read<T>(operation: string, call: Call<T>): Promise<T>;
  /**
   * @param idempotencyKey for writes that must happen only once. Omitted where a repetition does no harm, because
   *   Stripe repeats its first answer to a key for a day, even a failure.
   * @throws StripeUnavailableError, StripeRefusedError
   */
  write<T>(operation: string, call: Call<T>, idempotencyKey?: string): Promise<T>;
}

interface Needed {
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** @param apiBase replaces Stripe's own address, for the local stand-in */
export function createStripeClient(needed: Needed, apiBase: string | undefined): StripeClient {
  const { clock, log, metrics } = needed;
  const connect = connector(needed.secrets, apiBase);
  const breaker = createCircuitBreaker(BREAKER, clock, () => {
    metrics.count('StripeCircuitOpened');
    log.error('Stripe keeps failing and is not called for a while', { openMs: BREAKER.openMs });
  });

  const attempt = async <T>(options: Stripe.RequestOptions, call: Call<T>): Promise<T> => {
    const first = await connect(undefined);
    try {
      return await call(first.stripe, options);
    } catch (error) {
      const reason = translated(error);
      if (!(reason instanceof StripeUnavailableError) || reason.reason !== 'refused_key') throw reason;
      // The key may just have been rotated: try again with the current secret.
      const second = await connect(first.key);
      if (second.key === first.key) throw reason;
      return call(second.stripe, options).catch((again: unknown) => {
        throw translated(again);
      });
    }
  };

  const measured = async <T>(operation: string, options: Stripe.RequestOptions, call: Call<T>): Promise<T> => {
    const started = performance.now();
    try {
      return await guarded(breaker, () => traced(`Stripe.${operation}`, {}, () => attempt(options, call)));
    } catch (error) {
      const reason = error instanceof StripeUnavailableError ? error.reason : 'refused';
      metrics.count('StripeCallFailed', { operation, reason });
      throw error;
    } finally {
      metrics.duration('StripeCall', performance.now() - started, { operation });
    }
  };

  return {
    read: (operation, call) => measured(operation, READ, call),
    write: (operation, call, idempotencyKey) =>
      measured(operation, { ...WRITE, ...(idempotencyKey === undefined ? {} : { idempotencyKey }) }, call),
  };
}

async function guarded<T>(breaker: CircuitBreaker, work: () => Promise<T>): Promise<T> {
  try {
    return await breaker.run(isStripesTrouble, work);
  } catch (error) {
    if (!(error instanceof CircuitOpenError)) throw error;
    throw new StripeUnavailableError('circuit_open', Math.ceil(error.retryAfterMs / 1000), error);
  }
}

/** Checks whether Stripe is failing; a missing key is our own fault, and trying again costs nothing. */
function isStripesTrouble(error: unknown): boolean {
  if (!(error instanceof StripeUnavailableError)) return false;
  return error.reason !== 'not_configured' && error.reason !== 'no_key';
}

interface Connection {
  readonly key: string;
  readonly stripe: Stripe;
}

/** Keeps one client per key; loads the SDK with the first. */
function connector(secrets: Secrets, apiBase: string | undefined) {
  let kept: Connection | undefined;
  return async (refusedKey: string | undefined): Promise<Connection> => {
    const { STRIPE_SECRET_KEY: key } = await (refusedKey === undefined
      ? secrets.values()
      : secrets.freshValues()
    ).catch((error: unknown) => {
      throw new StripeUnavailableError('no_key', 5, error);
    });
    if (key === undefined) throw new StripeNotConfiguredError();
    if (kept?.key !== key) {
      const { default: StripeSdk } = await import('stripe');
      kept = { key, stripe: new StripeSdk(key, { telemetry: false, ...address(apiBase) }) };
    }
    return kept;
  };
}

function address(apiBase: string | undefined): Stripe.StripeConfig {
  if (apiBase === undefined) return {};
  const url = new URL(apiBase);
  return { host: url.hostname, port: url.port, protocol: url.protocol === 'http:' ? 'http' : 'https' };
}
