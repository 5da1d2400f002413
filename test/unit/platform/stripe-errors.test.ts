import Stripe from 'stripe';
import { describe, expect, it } from 'vitest';
import { translated } from '../../../src/platform/stripe/stripe-errors.ts';

const { errors } = Stripe;
const raw = (statusCode: number, more: object = {}) => ({ statusCode, message: 'about ada@example.com', ...more });

describe("an error of Stripe's SDK means", () => {
  it.each([
    ['that Stripe failed', new errors.StripeAPIError(raw(500)), { reason: 'server_error' }],
    ['that the network failed', new errors.StripeConnectionError(raw(0)), { reason: 'unreachable' }],
    [
      'that the network is slow',
      new errors.StripeConnectionError({ message: 'Request aborted due to timeout being reached (2000ms)' }),
      { reason: 'timeout' },
    ],
    ['that we are rate-limited', new errors.StripeRateLimitError(raw(429)), { reason: 'rate_limited' }],
    ['that our key is invalid', new errors.StripeAuthenticationError(raw(401)), { reason: 'refused_key' }],
    ['that our key lacks a permission', new errors.StripePermissionError(raw(403)), { reason: 'refused_key' }],
    ['that the same request is in progress', new errors.StripeAPIError(raw(409)), { kind: 'idempotency' }],
    [
      'that the idempotency key was used for another request',
      new errors.StripeIdempotencyError(raw(400)),
      { kind: 'idempotency' },
    ],
    [
      'that something does not exist',
      new errors.StripeInvalidRequestError(raw(404, { code: 'resource_missing', param: 'id' })),
      { kind: 'missing', param: 'id' },
    ],
    [
      'that our request is invalid',
      new errors.StripeInvalidRequestError(raw(400, { code: 'url_invalid', param: 'x' })),
      { kind: 'invalid', code: 'url_invalid' },
    ],
  ])('%s', (_what, error, meaning) => {
    const found = translated(error);
    expect(found).toMatchObject(meaning);
    // Text that Stripe quotes from a request must not reach the log.
    expect(String(found instanceof Error ? found.cause : '')).not.toContain('ada@');
  });

  it('nothing unless it comes from the SDK', () => {
    const error = new TypeError('ours');
    expect(translated(error)).toBe(error);
  });
});
