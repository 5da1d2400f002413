import { ApiError } from '../../http/errors.ts';
import type { PublishOutcome } from '../log/publishing/publish-request.ts';

type Refused = Exclude<PublishOutcome, { readonly outcome: 'published' }>;

/** What a publish that stored nothing is over HTTP. */
export function refusedPublish(refused: Refused): ApiError {
  switch (refused.outcome) {
    case 'conflict':
      return new ApiError('conflict', 'Somebody else has changed this in the meantime. Please look at it again.', {
        details: { event: refused.event, seq: refused.seq },
      });
    case 'client_seq_expected':
      return new ApiError('client_seq_expected', 'Something went missing on the way. Please try again.', {
        details: { expected: refused.expected },
      });
    case 'rate_limited':
      return new ApiError('rate_limited', 'That was a little too often. Please wait a moment and try again.', {
        headers: { 'Retry-After': String(refused.retryAfter) },
      });
    case 'limit_reached':
      return new ApiError('limit_reached', 'There is no room left. Please delete what you no longer need.', {
        details: { limit: refused.limit },
      });
    case 'clock_skew':
      return new ApiError('clock_skew', 'The clock of this device is wrong. Please set it and try again.', {
        details: { time: refused.time },
      });
    case 'revoked':
    case 'replaced':
      return new ApiError('invalid_token', 'This device was removed from the account. Please set it up anew.', {
        headers: { 'WWW-Authenticate': 'Bearer error="invalid_token"' },
      });
  }
}
