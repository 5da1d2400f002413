import { StripeUnavailableError } from '../../platform/stripe/stripe-errors.ts';

const MINUTE_MS = 60_000;

/**
 * Creates something at Stripe once, under a key shared by all requests for the same thing. Stripe repeats its first
 * answer to a key for a day, even a failure. After a failure the key therefore changes every minute, still the same for
 * all requests.
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
