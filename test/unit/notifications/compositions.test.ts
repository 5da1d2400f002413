import { describe, expect, it } from 'vitest';
import { subscriptionNotice } from '../../../src/notifications/causes.ts';
import { escaped } from '../../../src/notifications/channels/mail-text.ts';
import { mobilePushOf } from '../../../src/notifications/channels/push-texts.ts';
import { composeDigest } from '../../../src/notifications/delivery/composition.ts';
import { deliveryTime } from '../../../src/notifications/delivery/delivery-time.ts';
import type { Message } from '../../../src/notifications/inbox/message.ts';
import { STANDARD_PREFERENCES } from '../../../src/notifications/settings/preferences.ts';

const NOW = Date.UTC(2026, 5, 1, 12);
const DAY = 24 * 60 * 60 * 1000;
const message = (number: number): Message => ({
  ...({ kind: 'insight', topic: 'dry-spell', severity: 'info', serial: null } as const),
  ...{ messageId: `m${number}`, facts: { days: number }, at: NOW, storedAt: NOW, readAt: null },
});

describe('a digest', () => {
  it('shows a few lines on a phone and says that there are more', () => {
    const reader = { language: 'en', timeZone: 'UTC' } as const;
    const few = mobilePushOf(composeDigest([message(2), message(3)], reader), 'en');
    expect(few.body.split('\n')).toHaveLength(2);
    const many = composeDigest([message(2), ...[3, 4, 5, 6, 7, 8].map(message)], reader);
    const lines = mobilePushOf(many, 'en').body.split('\n');
    expect(lines).toHaveLength(6);
    expect(lines.at(-1)).not.toMatch(/rained/);
  });
});

describe('a mail', () => {
  it('shows what people wrote as they wrote it', () => {
    expect(escaped(`<b> & "it's"`)).toBe('&lt;b&gt; &amp; &quot;it&#39;s&quot;');
  });
});

describe('a message', () => {
  const at = (ms: number, severity: 'critical' | 'danger' | 'info', more = {}) =>
    deliveryTime(
      { kind: 'leak', topic: 'mainline-leak', severity, at: ms },
      { ...STANDARD_PREFERENCES, timeZone: 'UTC', ...more },
      NOW,
    );

  it('wakes nobody for what was weeks ago, nor in quiet hours unless it is critical', () => {
    expect(at(NOW - 8 * DAY, 'critical')).toEqual({ how: 'inbox_only' });
    const quiet = { quietHours: { from: '11:00', to: '13:00' } };
    expect(at(NOW, 'critical', quiet)).toEqual({ how: 'alone', dueAt: NOW });
    expect(at(NOW, 'danger', quiet)).toEqual({ how: 'alone', dueAt: NOW + 60 * 60_000 });
    expect(at(NOW, 'danger', { quietHours: { from: '22:00', to: '06:00' } })).toEqual({ how: 'alone', dueAt: NOW });
    expect(at(NOW, 'info', { digestAt: null })).toEqual({ how: 'alone', dueAt: NOW });
  });

  it('about a subscription is sent for trouble, once for each period, and not for what was known', () => {
    const change = { subscriptionId: 's', currentPeriodEnd: null, at: NOW };
    const topic = (from: string | null, to: string) => subscriptionNotice({ ...change, from, to })?.topic;
    expect(topic('active', 'past_due')).toBe('payment-failed');
    expect(topic(null, 'unpaid')).toBe('payment-failed');
    expect(topic('past_due', 'unpaid')).toBeUndefined();
    expect(topic('active', 'canceled')).toBe('ended');
    expect(topic(null, 'canceled')).toBeUndefined();
    expect(topic('canceled', 'canceled')).toBeUndefined();
    expect(topic('trialing', 'active')).toBeUndefined();
  });
});
