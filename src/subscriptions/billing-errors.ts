import { ApiError } from '../http/errors.ts';
import { TimeLimitError } from '../platform/resilience/time-limit.ts';
import { StripeRefusedError, StripeUnavailableError } from '../platform/stripe/stripe-errors.ts';

const SOON_SECONDS = 5;

/** Runs work that needs Stripe; when Stripe is unavailable, throws an ApiError that says when to retry. */
export async function whileStripeAnswers<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof StripeUnavailableError) throw billingUnavailable(error.retryAfterSeconds, error);
    // The same request is in progress twice, and Stripe does it once: the other one gets the result.
    if (error instanceof StripeRefusedError && error.kind === 'idempotency') throw billingUnavailable(1, error);
    if (error instanceof TimeLimitError) throw billingUnavailable(SOON_SECONDS, error);
    throw error;
  }
}

export function billingUnavailable(retryAfterSeconds: number, cause?: unknown): ApiError {
  return new ApiError('billing_unavailable', 'Payments are not available right now. Please try again in a moment.', {
    headers: { 'Retry-After': String(retryAfterSeconds) },
    cause,
  });
}
