import type Stripe from 'stripe';
import type { Secrets } from '../aws/secrets.ts';
import type { Clock } from '../clock.ts';
import type { Log } from '../observability/log.ts';
import type { Metrics } from '../observability/metrics.ts';
import { traced } from '../observability/tracing.ts';
import { type CircuitBreaker, CircuitOpenError, createCircuitBreaker } from '../resilience/circuit-breaker.ts';
import { StripeNotConfiguredError, StripeUnavailableError, translated } from './stripe-errors.ts';

/** The one place that says how long Stripe is waited for and how often it is asked again. */
const READ = { timeout: 2_000, maxNetworkRetries: 1 } as const;
/** The SDK gives each write an idempotency key that its own second try repeats, so that this is no second write. */
const WRITE = { timeout: 5_000, maxNetworkRetries: 1 } as const;
/** A refused webhook comes again, and a status has its snapshot: giving up early costs little. */
const BREAKER = { failuresToOpen: 3, openMs: 15_000 } as const;

type Call<T> = (stripe: Stripe, options: Stripe.RequestOptions) => Promise<T>;

export interface StripeClient {
  /** @throws StripeUnavailableError, StripeRefusedError */
  read<T>(operation: string, call: Call<T>): Promise<T>;
  /**
   * @param idempotencyKey for what must happen once however often it is asked for. Left out where a repetition does no
   *   harm: Stripe repeats its first answer to a key for a day, a failure too.
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

/** @param apiBase another address than Stripe's own, for the local stand-in */
export function createStripeClient(needed: Needed, apiBase: string | undefined): StripeClient {
  const { clock, log, metrics } = needed;
  const connect = connector(needed.secrets, apiBase);
  const breaker = createCircuitBreaker(BREAKER, clock, () => {
    metrics.count('StripeCircuitOpened');
    log.error('Stripe fails again and again and is not asked for a while', { openMs: BREAKER.openMs });
  });

  const attempt = async <T>(options: Stripe.RequestOptions, call: Call<T>): Promise<T> => {
    const first = await connect(undefined);
    try {
      return await call(first.stripe, options);
    } catch (error) {
      const reason = translated(error);
      if (!(reason instanceof StripeUnavailableError) || reason.reason !== 'refused_key') throw reason;
      // The key may just have been rotated: once more with what the secret says now.
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

/** Whether Stripe is in trouble; a key that is not there is our own, and asking again costs nobody anything. */
function isStripesTrouble(error: unknown): boolean {
  if (!(error instanceof StripeUnavailableError)) return false;
  return error.reason !== 'not_configured' && error.reason !== 'no_key';
}

interface Connection {
  readonly key: string;
  readonly stripe: Stripe;
}

/** Keeps one client per key; the SDK is loaded with the first. */
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
