import { customerObject, days, invoiceObject, LOCAL_PRICE, sessionObject, subscriptionObject } from './objects.ts';
import {
  type CheckoutSession,
  type Customer,
  newId,
  type StripeState,
  type Subscription,
  type SubscriptionStatus,
} from './state.ts';

/** Days until each payment retry; after the last one Stripe gives up. */
const RETRY_AFTER_DAYS = [3, 5, 7] as const;
const TRIAL_TOLD_DAYS = 3;

export type Emit = (type: string, object: unknown, at: number) => void;

/** Changes customers, checkouts and subscriptions, and creates the events. */
export class StripeLifecycle {
  readonly #state: StripeState;
  readonly #emit: Emit;
  readonly #base: () => string;

  constructor(state: StripeState, emit: Emit, base: () => string) {
    this.#state = state;
    this.#emit = emit;
    this.#base = base;
  }

  /** The customer pays on the checkout page: the subscription begins. */
  pay(session: CheckoutSession): Subscription {
    const state = this.#state;
    const now = state.now();
    const customer = state.find('customers', session.customer);
    if (customer !== undefined) state.save('customers', { ...customer, card: 'pays' });
    const trialEnd = session.trialDays === null ? null : now + days(session.trialDays);
    const subscription: Subscription = {
      id: newId('sub'),
      customer: session.customer,
      status: trialEnd === null ? 'active' : 'trialing',
      price: session.price,
      metadata: session.subscriptionMetadata,
      created: now,
      periodStart: now,
      periodEnd: trialEnd ?? now + days(LOCAL_PRICE.days),
      trialStart: trialEnd === null ? null : now,
      trialEnd,
      cancelAtPeriodEnd: false,
      canceledAt: null,
      endedAt: null,
      trialEndTold: false,
      retryAt: null,
      retries: 0,
    };
    state.save('subscriptions', subscription);
    const complete: CheckoutSession = {
      ...session,
      status: 'complete',
      subscription: subscription.id,
      lastError: null,
    };
    state.save('sessions', complete);
    this.#emit('customer.subscription.created', subscriptionObject(subscription), now);
    this.#emit('checkout.session.completed', sessionObject(complete, this.#base()), now);
    this.#invoice(subscription, true, now);
    return subscription;
  }

  /** The card is declined on the checkout page, which stays open. */
  decline(session: CheckoutSession): void {
    this.#state.save('sessions', { ...session, lastError: 'Your card was declined. Please try another one.' });
    const object = { id: newId('pi'), object: 'payment_intent', customer: session.customer, metadata: {} };
    this.#emit('payment_intent.payment_failed', object, this.#state.now());
  }

  expire(session: CheckoutSession, at = this.#state.now()): CheckoutSession {
    const expired: CheckoutSession = { ...session, status: 'expired' };
    this.#state.save('sessions', expired);
    this.#emit('checkout.session.expired', sessionObject(expired, this.#base()), at);
    return expired;
  }

  /** Replaces the card; an open payment is retried immediately. */
  replaceCard(customer: Customer, card: Customer['card']): void {
    this.#state.save('customers', { ...customer, card });
    if (card !== 'pays') return;
    for (const subscription of this.#of(customer.id)) {
      if (subscription.status === 'past_due' || subscription.status === 'unpaid')
        this.#charged(subscription, this.#state.now());
    }
  }

  scheduleEnd(subscription: Subscription, cancelAtPeriodEnd: boolean): Subscription {
    const now = this.#state.now();
    return this.#update({ ...subscription, cancelAtPeriodEnd, canceledAt: cancelAtPeriodEnd ? now : null }, now);
  }

  cancel(subscription: Subscription, at = this.#state.now()): Subscription {
    const ended: Subscription = { ...subscription, status: 'canceled', canceledAt: at, endedAt: at, retryAt: null };
    this.#state.save('subscriptions', ended);
    this.#emit('customer.subscription.deleted', subscriptionObject(ended), at);
    return ended;
  }

  /** Sets a status that no button can, with the event that Stripe would send. */
  setStatus(subscription: Subscription, status: SubscriptionStatus): Subscription {
    if (status === 'canceled') return this.cancel(subscription);
    const now = this.#state.now();
    const next: Subscription = { ...subscription, status, endedAt: null, canceledAt: null };
    this.#state.save('subscriptions', next);
    if (status === 'paused') this.#emit('customer.subscription.paused', subscriptionObject(next), now);
    else if (subscription.status === 'paused')
      this.#emit('customer.subscription.resumed', subscriptionObject(next), now);
    else this.#emit('customer.subscription.updated', subscriptionObject(next), now);
    return next;
  }

  remove(customer: Customer): Customer {
    for (const subscription of this.#of(customer.id)) if (isLive(subscription)) this.cancel(subscription);
    for (const session of this.#state.all('sessions')) {
      if (session.customer === customer.id && session.status === 'open') this.expire(session);
    }
    const removed: Customer = { ...customer, deleted: true, card: 'none' };
    this.#state.save('customers', removed);
    this.#emit('customer.deleted', { ...customerObject(customer) }, this.#state.now());
    return removed;
  }

  /** Moves the clock, and processes everything that falls due in order. */
  forward(seconds: number): void {
    const until = this.#state.now() + seconds;
    for (;;) {
      const next = this.#due()
        .filter(({ at }) => at <= until)
        .sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#state.forward(Math.max(0, next.at - this.#state.now()));
      next.happen();
    }
    this.#state.forward(Math.max(0, until - this.#state.now()));
  }

  #due(): { readonly at: number; happen(): void }[] {
    const state = this.#state;
    return [
      ...state
        .all('sessions')
        .filter(({ status }) => status === 'open')
        .map((session) => ({ at: session.expiresAt, happen: () => void this.expire(session, session.expiresAt) })),
      ...state
        .all('subscriptions')
        .filter(isLive)
        .flatMap((one) => this.#dueOf(one)),
    ];
  }

  #dueOf(subscription: Subscription) {
    const { trialEnd, periodEnd, retryAt } = subscription;
    const due = [{ at: periodEnd, happen: () => this.#periodEnds(subscription) }];
    if (retryAt !== null) due.push({ at: retryAt, happen: () => this.#retry(subscription, retryAt) });
    if (trialEnd !== null && !subscription.trialEndTold) {
      const at = trialEnd - days(TRIAL_TOLD_DAYS);
      due.push({
        at,
        happen: () => {
          const told = { ...subscription, trialEndTold: true };
          this.#state.save('subscriptions', told);
          this.#emit('customer.subscription.trial_will_end', subscriptionObject(told), at);
        },
      });
    }
    return due;
  }

  #periodEnds(subscription: Subscription): void {
    const at = subscription.periodEnd;
    if (subscription.cancelAtPeriodEnd) {
      this.cancel(subscription, at);
      return;
    }
    const next = { ...subscription, periodStart: at, periodEnd: at + days(LOCAL_PRICE.days) };
    // An open payment is retried on its own schedule; here, the new period adds nothing to it.
    if (subscription.retryAt !== null) {
      this.#state.save('subscriptions', next);
      return;
    }
    if (this.#cardOf(subscription) === 'pays') this.#charged({ ...next, status: 'active' }, at);
    else this.#refused(next, at);
  }

  #retry(subscription: Subscription, at: number): void {
    if (this.#cardOf(subscription) === 'pays') this.#charged(subscription, at);
    else this.#refused(subscription, at);
  }

  #charged(subscription: Subscription, at: number): void {
    const paid = this.#update({ ...subscription, status: 'active', retryAt: null, retries: 0 }, at);
    this.#invoice(paid, true, at);
  }

  #refused(subscription: Subscription, at: number): void {
    const wait = RETRY_AFTER_DAYS[subscription.retries];
    if (wait === undefined) {
      this.cancel(subscription, at);
      return;
    }
    const open: Subscription = {
      ...subscription,
      status: 'past_due',
      retryAt: at + days(wait),
      retries: subscription.retries + 1,
    };
    this.#update(open, at);
    this.#invoice(open, false, at);
  }

  #update(subscription: Subscription, at: number): Subscription {
    this.#state.save('subscriptions', subscription);
    this.#emit('customer.subscription.updated', subscriptionObject(subscription), at);
    return subscription;
  }

  #invoice(subscription: Subscription, paid: boolean, at: number): void {
    this.#emit(
      paid ? 'invoice.paid' : 'invoice.payment_failed',
      invoiceObject(subscription, newId('in'), paid, at),
      at,
    );
  }

  #of(customer: string): readonly Subscription[] {
    return this.#state.all('subscriptions').filter((one) => one.customer === customer);
  }

  #cardOf({ customer }: Subscription): Customer['card'] {
    return this.#state.find('customers', customer)?.card ?? 'none';
  }
}

function isLive({ status }: Subscription): boolean {
  return status !== 'canceled' && status !== 'incomplete_expired';
}
