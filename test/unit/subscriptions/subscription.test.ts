import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StripeSubscription } from '../../../src/platform/stripe/stripe-gateway.ts';
import {
  bestSubscription,
  grantsPremium,
  isLive,
  snapshotOf,
  usedTrial,
} from '../../../src/subscriptions/status/subscription.ts';

const DAY = 86_400_000;
const subscription = (change: Partial<StripeSubscription> = {}): StripeSubscription => ({
  id: 'sub_1',
  customerId: 'cus_1',
  status: 'active',
  priceIds: ['price_a'],
  createdAt: 1_000,
  currentPeriodEnd: 10 * DAY,
  cancelAtPeriodEnd: false,
  hadTrial: false,
  ...change,
});
const STATUSES = [
  'active',
  'trialing',
  'past_due',
  'unpaid',
  'paused',
  'incomplete',
  'canceled',
  'incomplete_expired',
  'new_word',
];

describe('the relevant subscription', () => {
  it('has the best status', () => {
    const all = ['incomplete_expired', 'canceled', 'incomplete', 'past_due', 'trialing'].map((status, i) =>
      subscription({ id: `sub_${i}`, status }),
    );
    for (let length = all.length; length > 0; length -= 1) {
      expect(bestSubscription(all.slice(0, length))?.status).toBe(all[length - 1]?.status);
    }
    expect(bestSubscription([])).toBeUndefined();
  });

  it('is the newest among equal statuses', () => {
    const [older, newer] = [subscription({ id: 'a', createdAt: 1 }), subscription({ id: 'b', createdAt: 2 })];
    expect(bestSubscription([older, newer])).toBe(newer);
    expect(bestSubscription([newer, older])).toBe(newer);
  });

  it("does not depend on Stripe's order", () => {
    const any = fc.record({
      id: fc.stringMatching(/^sub_[a-z]{3}$/),
      status: fc.constantFrom(...STATUSES),
      createdAt: fc.nat({ max: 3 }),
    });
    fc.assert(
      fc.property(fc.uniqueArray(any, { selector: ({ id }) => id, minLength: 1, maxLength: 6 }), (changes) => {
        const all = changes.map(subscription);
        expect(bestSubscription([...all].reverse())).toEqual(bestSubscription(all));
      }),
    );
  });
});

describe('premium', () => {
  const snapshot = (change: Partial<StripeSubscription>) => snapshotOf(subscription(change), 'price_a');

  it.each(STATUSES)('with status %s is granted only if that is active or trialing', (status) => {
    expect(grantsPremium(snapshot({ status }), 0)).toBe(status === 'active' || status === 'trialing');
  });

  it('is not granted without a subscription', () => {
    expect(grantsPremium(null, 0)).toBe(false);
  });

  it('lapses three days after the period if unconfirmed since', () => {
    expect(grantsPremium(snapshot({}), 13 * DAY - 1)).toBe(true);
    expect(grantsPremium(snapshot({}), 13 * DAY)).toBe(false);
    expect(grantsPremium(snapshot({ currentPeriodEnd: null }), 100 * DAY)).toBe(true);
  });
});

it('every subscription uses up the trial, except one that never became active', () => {
  const used = STATUSES.filter((status) => usedTrial(subscription({ status })));
  expect(used).toEqual(STATUSES.filter((status) => !status.startsWith('incomplete')));
  expect(usedTrial(subscription({ status: 'incomplete_expired', hadTrial: true }))).toBe(true);
});

it('a subscription is live while it can become premium without a new checkout', () => {
  expect(STATUSES.filter((status) => isLive({ status }))).toEqual([
    'active',
    'trialing',
    'past_due',
    'unpaid',
    'paused',
    'incomplete',
  ]);
});
