import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StoredEvent, Subscription } from '../../../tools/run/local-stack/stripe/state.ts';
import { type Backend, type BackendOptions, startBackend } from '../../support/backend.ts';
import { billing } from '../../support/billing.ts';
import { gate } from '../../support/gate.ts';
import { isThorough } from '../../support/thorough.ts';

let backend: Backend;
let people: ReturnType<typeof billing>;
async function start(options: BackendOptions = {}): Promise<void> {
  backend = await startBackend({}, options);
  people = billing(backend);
}

/** The subscription status that each event reports. */
const SAYS = {
  'customer.subscription.created': 'trialing',
  'customer.subscription.updated': 'past_due',
  'customer.subscription.paused': 'paused',
  'customer.subscription.resumed': 'active',
  'customer.subscription.trial_will_end': 'trialing',
  'customer.subscription.deleted': 'canceled',
  'checkout.session.completed': 'active',
  'checkout.session.async_payment_succeeded': 'active',
  'checkout.session.async_payment_failed': 'incomplete_expired',
  'invoice.paid': 'active',
  'invoice.payment_failed': 'unpaid',
} as const;
type EventType = keyof typeof SAYS;
const TYPES: readonly EventType[] = [
  'customer.subscription.created',
  'customer.subscription.updated',
  'customer.subscription.paused',
  'customer.subscription.resumed',
  'customer.subscription.trial_will_end',
  'customer.subscription.deleted',
  'checkout.session.completed',
  'checkout.session.async_payment_succeeded',
  'checkout.session.async_payment_failed',
  'invoice.paid',
  'invoice.payment_failed',
];

/** All types except the checkout's, which comes first and only once. */
const LIFE_TYPES = TYPES.filter((type) => !type.startsWith('checkout.'));

/** A user with a subscription, who can go through several cases. */
async function makeUser() {
  const user = await people.subscribed();
  return {
    uid: user.uid,
    /** Changes the subscription at Stripe and returns the event without delivering it. */
    happens(type: EventType): StoredEvent {
      const next: Subscription = { ...people.subscription(user.subscription.id), status: SAYS[type] };
      backend.stripe.state.save('subscriptions', next);
      return people.subscriptionEvent(type, next);
    },
    atStripe: () => people.subscription(user.subscription.id).status,
    async stored(): Promise<unknown> {
      const { Item: item } = await (await backend.services.documents()).get({
        TableName: backend.services.config.tables.users,
        Key: { uid: user.uid, record: 'subscription' },
        ConsistentRead: true,
      });
      return item?.['subscription_snapshot']?.status;
    },
  };
}

/** Delivers like Stripe: retries until the event is accepted. */
async function deliverUntilTaken(event: StoredEvent): Promise<void> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const { status } = await people.deliver(event);
    if (status === 200) return;
    expect(status).toBe(503);
  }
  throw new Error('never taken');
}

type Mode = 'once' | 'once, then again' | 'at once' | 'twice, all at once';

/** @param check runs after each complete delivery */
async function deliverAll(events: readonly StoredEvent[], mode: Mode, check: () => Promise<void>): Promise<void> {
  if (mode === 'at once' || mode === 'twice, all at once') {
    await Promise.all((mode === 'at once' ? events : [...events, ...events]).map(deliverUntilTaken));
    return check();
  }
  for (const _time of mode === 'once' ? ['first'] : ['first', 'second']) {
    for (const event of events) await deliverUntilTaken(event);
    await check();
  }
}

function combinations<T>(of: readonly T[], count: number): T[][] {
  if (count === 0) return [[]];
  return of.flatMap((first, at) => combinations(of.slice(at + 1), count - 1).map((rest) => [first, ...rest]));
}

function permutations<T>(of: readonly T[]): T[][] {
  if (of.length <= 1) return [[...of]];
  return of.flatMap((first, at) =>
    permutations([...of.slice(0, at), ...of.slice(at + 1)]).map((rest) => [first, ...rest]),
  );
}

type User = Awaited<ReturnType<typeof makeUser>>;

/** Six users in parallel, each going through cases one after the other. */
async function inTurns<T>(cases: readonly T[], work: (user: User, one: T) => Promise<void>): Promise<void> {
  const left = [...cases];
  const worker = async () => {
    const user = await makeUser();
    for (let next = left.pop(); next !== undefined; next = left.pop()) await work(user, next);
  };
  await Promise.all(Array.from({ length: 6 }, worker));
}

describe('events of one subscription', () => {
  // Very many deliveries, none of which needs a DynamoDB fault.
  beforeAll(() => start({ isDirect: true }));
  afterAll(() => backend.stop());

  it.each([
    {
      what: 'every pair, in every order, twice, one after the other or in parallel',
      count: 2,
      types: TYPES,
      isTurned: false,
    },
    { what: 'triples in the life of a subscription, in every order', count: 3, types: LIFE_TYPES, isTurned: true },
  ])(
    "$what, ends in Stripe's state",
    async ({ count, types, isTurned }) => {
      // Pairs show the effect of a second copy; for triples only the order matters.
      const modes: readonly Mode[] = isTurned ? ['once', 'at once'] : ['once, then again', 'twice, all at once'];
      const every = combinations(types, count).flatMap(permutations);
      // One of four triples, in turns by either delivery mode; all of them nightly.
      const histories = isTurned && !isThorough ? every.filter((_, turn) => turn % 4 === 0) : every;
      // Histories alternate between the delivery modes where not every mode is tested.
      const cases = histories.flatMap((history, turn) =>
        modes.filter((_, way) => (isThorough && !isTurned) || way === turn % 2).map((mode) => ({ history, mode })),
      );
      await inTurns(cases, async (user, { history, mode }) => {
        const events = history.map((type) => user.happens(type));
        // Delivery is sorted by type. All orders are still covered, because the histories contain every permutation.
        const delivered = [...events].sort((a, b) => (a.type < b.type ? -1 : 1));
        await deliverAll(delivered, mode, async () =>
          expect(await user.stored(), `${history.join(', ')} ${mode}`).toBe(user.atStripe()),
        );
      });
    },
    120_000,
  );

  it("end in Stripe's state, however changes and deliveries are interleaved", async () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('happens' as const), type: fc.constantFrom(...TYPES) }),
      fc.record({ kind: fc.constant('delivered' as const), which: fc.nat(), copies: fc.integer({ min: 1, max: 3 }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 12 }), async (steps) => {
        const user = await makeUser();
        const happened: StoredEvent[] = [user.happens('checkout.session.completed')];
        const underWay: Promise<void>[] = [];
        for (const one of steps) {
          if (one.kind === 'happens') {
            happened.push(user.happens(one.type));
          } else {
            const event = happened[one.which % happened.length];
            // Not awaited: the next step runs during the delivery.
            for (let copy = 0; event !== undefined && copy < one.copies; copy += 1)
              underWay.push(deliverUntilTaken(event));
          }
        }
        await Promise.all([...underWay, ...happened.map(deliverUntilTaken)]);
        expect(await user.stored()).toBe(user.atStripe());
      }),
      { numRuns: isThorough ? 60 : 8 },
    );
  }, 120_000);
});

describe('two webhook runs for one subscription', () => {
  beforeAll(() => start());
  afterAll(() => backend.stop());

  it('a run delayed between reading and writing does not overwrite newer state', async () => {
    const user = await makeUser();
    await deliverUntilTaken(user.happens('checkout.session.completed'));
    const late = user.happens('invoice.payment_failed');
    const { until, letGo } = gate();
    const met = backend.dynamo.faultsMet();
    // The first update starts the event in the ledger, the second writes the snapshot.
    backend.dynamo.setFaults([
      { match: 'UpdateItem', latencyMs: 0, times: 1 },
      { match: 'UpdateItem', until, times: 1 },
    ]);
    const heldUp = people.deliver(late);
    await expect.poll(() => backend.dynamo.faultsMet()).toBe(met + 2);
    await deliverUntilTaken(user.happens('invoice.paid'));
    expect(await user.stored()).toBe('active');
    letGo();
    expect((await heldUp).status).toBe(200);
    expect(await user.stored()).toBe('active');
    backend.dynamo.setFaults([]);
  });

  it('a run that loses to one with an older answer reads again', async () => {
    const user = await makeUser();
    await deliverUntilTaken(user.happens('checkout.session.completed'));
    const gates = [gate(), gate()];
    const met = backend.dynamo.faultsMet();
    // Each run first updates the ledger, then the snapshot, where it is held back.
    backend.dynamo.setFaults(
      gates.flatMap(({ until }) => [
        { match: 'UpdateItem', latencyMs: 0, times: 1 },
        { match: 'UpdateItem', until, times: 1 },
      ]),
    );
    const older = people.deliver(user.happens('invoice.payment_failed'));
    await expect.poll(() => backend.dynamo.faultsMet()).toBe(met + 2);
    const newer = people.deliver(user.happens('invoice.paid'));
    await expect.poll(() => backend.dynamo.faultsMet()).toBe(met + 4);
    gates[0]?.letGo();
    expect((await older).status).toBe(200);
    expect(await user.stored()).toBe('unpaid');
    gates[1]?.letGo();
    expect((await newer).status).toBe(200);
    expect(await user.stored()).toBe('active');
    backend.dynamo.setFaults([]);
  });
});
