import { StripeUnavailableError } from '../../platform/stripe/stripe-errors.ts';

const MINUTE_MS = 60_000;

/**
 * Makes something at Stripe once, under a key that all who want the same thing share. Stripe repeats its first answer to
 * a key for a day, a failure too: behind a failure the key changes every minute, still the same for everybody.
 *
 * @param now milliseconds since 1970
 */
export async function writeOnce<T>(key: string, now: number, write: (key: string) => Promise<T>): Promise<T> {
  try {
    return await write(key);
  } catch (error) {
    if (!(error instanceof StripeUnavailableError) || error.reason !== 'server_error') throw error;
    return write(`${key}:after-failure:${Math.floor(now / MINUTE_MS)}`);
  }
}
