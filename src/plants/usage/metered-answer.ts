import type { RequestContext } from '../../http/define-route.ts';
import { ApiError, type ErrorCode } from '../../http/errors.ts';
import { isoTime } from '../../platform/clock.ts';
import { ProviderError } from '../../platform/plant-providers/provider-errors.ts';
import { createDeadline, type Deadline } from '../deadline.ts';
import type { Metered } from './metered.ts';

/** Errors of every route that makes a metered call to a provider. */
export const METERED_ERRORS: readonly ErrorCode[] = [
  'daily_limit_reached',
  'monthly_limit_reached',
  'provider_failed',
  'provider_timeout',
];

/** Starts the clock of a request. */
export function startDeadline(): Deadline {
  const started = performance.now();
  return createDeadline(() => performance.now() - started);
}

/** Returns the result, or throws the error for the caller. */
export async function resultOf<T>({ now }: RequestContext, work: () => Promise<Metered<T>>): Promise<T> {
  try {
    const outcome = await work();
    switch (outcome.outcome) {
      case 'done':
        return outcome.result;
      case 'account_deleted':
        throw new ApiError('account_deleted', 'This account has been deleted.');
      case 'limit_reached':
        throw limitReached(outcome.limit, outcome.resetsAt, now);
    }
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    if (error.reason === 'timeout') {
      throw new ApiError('provider_timeout', 'The plant service is slow right now. Please try again in a moment.', {
        cause: error,
      });
    }
    throw new ApiError(
      'provider_failed',
      'The plant service is not available right now. Please try again in a moment.',
      {
        cause: error,
      },
    );
  }
}

function limitReached(limit: 'day' | 'month', resetsAt: number, now: number): ApiError {
  const headers = { 'Retry-After': String(Math.max(1, Math.ceil((resetsAt - now) / 1000))) };
  const details = { resetsAt: isoTime(resetsAt) };
  return limit === 'day'
    ? new ApiError('daily_limit_reached', 'You have used all of today’s requests. Please try again tomorrow.', {
        headers,
        details,
      })
    : new ApiError(
        'monthly_limit_reached',
        'You have used all of this month’s requests. Please try again next month.',
        { headers, details },
      );
}
