import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StoredEvent } from '../../../tools/run/local-stack/stripe/state.ts';
import { type Backend, startBackend } from '../../support/backend.ts';
import { billing } from '../../support/billing.ts';
import { signedUp } from '../../support/signed-up.ts';
import { newUser } from '../../support/tokens.ts';

let backend: Backend;
let people: ReturnType<typeof billing>;
beforeAll(async () => {
  backend = await startBackend();
  people = billing(backend);
});
afterAll(() => backend.stop());

/** More writes than any event needs. */
const MOST_WRITES = 10;

const everything = () => Promise.all([backend.scan('users'), backend.scan('rateLimits')]);
const keyOf = ({ id, uid, record }: Readonly<Record<string, unknown>>) => JSON.stringify([id, uid, record]);

/** The keys of all that is stored. */
const storedKeys = async () => new Set((await everything()).flat().map(keyOf));

/**
 * The stored state without values that differ between runs: ids, times, attempts.
 *
 * @param before the keys of what earlier runs have stored
 */
async function storedState(before: ReadonlySet<string>) {
  const [users = [], ledger = []] = (await everything()).map((items) =>
    items.filter((item) => !before.has(keyOf(item))),
  );
  const ofUser = users.map((item) => {
    const record = String(item['record']).replace(/#.*/, '#');
    const snapshot = item['subscription_snapshot'];
    return {
      record,
      status: snapshot !== null && typeof snapshot === 'object' && 'status' in snapshot ? snapshot.status : undefined,
      hasCustomer: item['stripe_customer_id'] !== undefined,
      hasOwner: item['owner_uid'] !== undefined,
      isAnonymous: item['anonymised_at'] !== undefined,
    };
  });
  const events = ledger
    .filter((item) => String(item['id']).startsWith('stripe-event#'))
    .map((item) => ({ status: item['webhook_status'], type: item['type'] }));
  const byText = (a: unknown, b: unknown) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);
  return { users: ofUser.sort(byText), events: events.sort(byText) };
}

const CASES: Readonly<Record<string, () => Promise<StoredEvent>>> = {
  'a first payment with a new snapshot and trial': async () => {
    const user = await people.subscribed();
    return people.subscriptionEvent('checkout.session.completed', user.subscription);
  },
  'a change to a known subscription': async () => {
    const user = await people.subscribed();
    await people.status(user);
    backend.stripe.lifecycle.setStatus(user.subscription, 'past_due');
    return lastEvent();
  },
  'a customer removed at Stripe': async () => {
    const user = await people.subscribed();
    await people.status(user);
    const customer = people.customerOf(user);
    if (customer !== undefined) backend.stripe.lifecycle.remove(customer);
    return lastEvent();
  },
  'a customer that names a user but has no mapping yet': async () => {
    const { uid } = await signedUp(backend);
    const customer = people.customerAtStripe({ uid });
    return people.subscriptionEvent('customer.subscription.created', people.subscriptionAtStripe(customer, 'active'));
  },
  'a customer with a kept event who has been linked to a user since': async () => {
    const { uid } = await signedUp(backend);
    const customer = people.customerAtStripe();
    const subscription = people.subscriptionAtStripe(customer, 'active');
    await people.deliver(people.subscriptionEvent('customer.subscription.created', subscription));
    backend.stripe.state.save('customers', { ...customer, metadata: { uid } });
    return people.subscriptionEvent('invoice.paid', subscription);
  },
  'an unknown customer': async () => {
    const customer = people.customerAtStripe();
    return people.subscriptionEvent('customer.subscription.created', people.subscriptionAtStripe(customer, 'active'));
  },
  'a payment for a deleted account': async () => {
    const user = newUser();
    const { sessionId } = (await people.checkout(user)).body;
    const session = backend.stripe.state.find('sessions', sessionId);
    await backend.call('/deleteMyAccount', { headers: user.headers, body: { confirmText: 'DELETE' } });
    if (session !== undefined) backend.stripe.lifecycle.pay(session);
    return lastEvent();
  },
};

function lastEvent(): StoredEvent {
  const event = people.events().at(-1);
  if (event === undefined) throw new Error('nothing has happened');
  return event;
}

/** When Stripe tries again. */
const LATER_MS = 61_000;

async function redeliverTwice(event: StoredEvent): Promise<void> {
  for (const _time of ['first', 'second']) {
    backend.clock.forward(LATER_MS);
    expect((await people.deliver(event)).status).toBe(200);
  }
  backend.clock.forward(-2 * LATER_MS);
}

describe('a crash after each single write of the webhook', () => {
  it.each(Object.entries(CASES))(
    'for %s leaves the same state after redelivery as no crash',
    async (_name, arrange) => {
      const beforeAnything = await storedKeys();
      const clean = await arrange();
      expect((await people.deliver(clean)).status).toBe(200);
      const expected = await storedState(beforeAnything);

      let crashes = 0;
      for (let writes = 1; writes <= MOST_WRITES; writes += 1) {
        const before = await storedKeys();
        const event = await arrange();
        backend.dynamo.dieAfterWrites(writes);
        const { status } = await people.deliver(event);
        backend.dynamo.revive();
        if (status === 200) {
          // All writes succeeded: later crashes would have no effect.
          expect(writes).toBe(crashes + 1);
          break;
        }
        crashes += 1;
        await redeliverTwice(event);
        expect(await storedState(before), `died after write ${writes}`).toEqual(expected);
      }
      expect(crashes).toBeGreaterThanOrEqual(2);
      expect(crashes).toBeLessThan(MOST_WRITES);
    },
    120_000,
  );
});
