import type Stripe from 'stripe';
import type { Secrets } from './secrets.ts';

/** Every call to Stripe gets this long (architecture, "Failing well"); the request itself has 29 s. */
const REQUEST_MS = 2_000;

export interface StripeGateway {
  /** Whether the stored key is one that Stripe takes; the cheapest authenticated read there is. */
  ping(): Promise<void>;
}

export class StripeNotConfiguredError extends Error {
  override readonly name = 'StripeNotConfiguredError';
}

/** @param apiBase another address than Stripe's own, for the local stand-in */
export function createStripeGateway(secrets: Secrets, apiBase: string | undefined): StripeGateway {
  let client: { readonly key: string; readonly stripe: Stripe } | undefined;

  const stripe = async (): Promise<Stripe> => {
    const { STRIPE_SECRET_KEY: key } = await secrets.values();
    if (key === undefined) throw new StripeNotConfiguredError('The secret holds no STRIPE_SECRET_KEY');
    if (client?.key !== key) {
      const { default: StripeClient } = await import('stripe');
      const options = { timeout: REQUEST_MS, maxNetworkRetries: 1, telemetry: false };
      client = { key, stripe: new StripeClient(key, { ...options, ...address(apiBase) }) };
    }
    return client.stripe;
  };

  return {
    async ping() {
      await (await stripe()).balance.retrieve();
    },
  };
}

function address(apiBase: string | undefined): Stripe.StripeConfig {
  if (apiBase === undefined) return {};
  const url = new URL(apiBase);
  return { host: url.hostname, port: url.port, protocol: url.protocol === 'http:' ? 'http' : 'https' };
}
