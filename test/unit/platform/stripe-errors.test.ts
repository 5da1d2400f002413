import Stripe from 'stripe';
import { describe, expect, it } from 'vitest';
import { translated } from '../../../src/platform/stripe/stripe-errors.ts';

const { errors } = Stripe;
const raw = (statusCode: number, more: object = {}) => ({ statusCode, message: 'about ada@example.com', ...more });

describe("an error of Stripe's SDK means", () => {
  it.each([
    ['that Stripe is in trouble', new errors.StripeAPIError(raw(500)), { reason: 'server_error' }],
    ['that the network is', new errors.StripeConnectionError(raw(0)), { reason: 'unreachable' }],
    [
      'that the network is slow',
      new errors.StripeConnectionError({ message: 'Request aborted due to timeout being reached (2000ms)' }),
      { reason: 'timeout' },
    ],
    ['that we ask too often', new errors.StripeRateLimitError(raw(429)), { reason: 'rate_limited' }],
    ['that our key is no good', new errors.StripeAuthenticationError(raw(401)), { reason: 'refused_key' }],
    ['that our key may not', new errors.StripePermissionError(raw(403)), { reason: 'refused_key' }],
    ['that the same is under way', new errors.StripeAPIError(raw(409)), { kind: 'idempotency' }],
    ['that the same was asked otherwise', new errors.StripeIdempotencyError(raw(400)), { kind: 'idempotency' }],
    [
      'that something is not there',
      new errors.StripeInvalidRequestError(raw(404, { code: 'resource_missing', param: 'id' })),
      { kind: 'missing', param: 'id' },
    ],
    [
      'that we asked wrongly',
      new errors.StripeInvalidRequestError(raw(400, { code: 'url_invalid', param: 'x' })),
      { kind: 'invalid', code: 'url_invalid' },
    ],
  ])('%s', (_what, error, meaning) => {
    const found = translated(error);
    expect(found).toMatchObject(meaning);
    // Text that Stripe quotes from a request must not reach the log.
    expect(String(found instanceof Error ? found.cause : '')).not.toContain('ada@');
  });

  it('nothing if it does not come from the SDK', () => {
    const error = new TypeError('ours');
    expect(translated(error)).toBe(error);
  });
});
