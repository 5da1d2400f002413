import { describe, expect, it } from 'vitest';
import { parseStripeEvent } from '../../../src/subscriptions/webhook/stripe-event.ts';

const event = (object: unknown, change: object = {}) => ({
  ...{ id: 'evt_1', object: 'event', type: 'invoice.paid', created: 1, data: { object } },
  ...change,
});

describe('the relevant data of an event', () => {
  it.each([
    {
      name: 'a checkout',
      object: { object: 'checkout.session', customer: 'cus_1', client_reference_id: 'u1' },
      uid: 'u1',
    },
    {
      name: 'a subscription',
      object: { object: 'subscription', customer: 'cus_1', metadata: { uid: 'u2' } },
      uid: 'u2',
    },
    {
      name: 'an invoice',
      object: { object: 'invoice', customer: 'cus_1', parent: { subscription_details: { metadata: { uid: 'u3' } } } },
      uid: 'u3',
    },
    {
      name: 'an invoice without a parent',
      object: { object: 'invoice', customer: 'cus_1', parent: null },
      uid: undefined,
    },
    {
      name: 'an expanded customer',
      object: { object: 'invoice', customer: { id: 'cus_1' }, metadata: {} },
      uid: undefined,
    },
    { name: 'a customer', object: { object: 'customer', id: 'cus_1', metadata: { uid: 'u4' } }, uid: 'u4' },
    { name: 'an emptied uid', object: { object: 'customer', id: 'cus_1', metadata: { uid: '' } }, uid: undefined },
  ])('is found in $name', ({ object, uid }) => {
    expect(parseStripeEvent(event(object))).toMatchObject({ id: 'evt_1', created: 1, customerId: 'cus_1', uid });
  });

  it('may lack a customer', () => {
    expect(parseStripeEvent(event({ object: 'invoice', customer: null }))?.customerId).toBeUndefined();
  });

  it.each([
    ['an absent event', undefined],
    ['a thin event', { id: 'evt_1', object: 'v2.core.event', type: 'v1.invoice.paid', created: 'now' }],
    ['an event with another kind of id', event({}, { id: 'in_1' })],
    ['an event whose time is not a number', event({}, { created: 'now' })],
    ['an event without data', event({}, { data: undefined })],
    ['an event with a time beyond the year 9999', event({}, { created: 9e12 })],
    ['an event with an empty customer id', event({ object: 'invoice', customer: '' })],
  ])('is missing in %s', (_name, payload) => {
    expect(parseStripeEvent(payload)).toBeUndefined();
  });
});
