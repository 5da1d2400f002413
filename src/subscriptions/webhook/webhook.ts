import { isUid, type Uid } from '../../platform/ids.ts';
import type { BillingNeeds } from '../billing-needs.ts';
import { isLive } from '../status/subscription.ts';
import { syncSubscription } from '../status/sync.ts';
import { applyKeptEvents } from './kept-events.ts';
import type { StripeEvent } from './stripe-event.ts';

/** What became of an event. `kept`: it waits for somebody whose customer it is about. */
export type EventOutcome = 'applied' | 'unchanged' | 'account_deleted' | 'nobodys' | 'kept';

export type Delivery =
  | { readonly processed: true; readonly outcome: EventOutcome }
  | { readonly processed: false; readonly reason: 'duplicate' | 'in_progress' };

/**
 * Does an event's work once, however often and in whatever order it comes: it is recorded before the work and finished
 * after it. A failure is recorded too and thrown on, so that Stripe sends the event again; a run that died leaves its
 * lease behind, and the next delivery takes over when that has run out.
 *
 * @param options.again does it once more though it is done, which changes nothing unless Stripe has something new
 */
export async function processEvent(
  needs: BillingNeeds,
  event: StripeEvent,
  options: { readonly again: boolean },
): Promise<Delivery> {
  const { ledger, metrics, log, now } = needs;
  const run = needs.randomness.id();
  const begin = await ledger.begin(event, run, now(), options);
  if (!begin.begun && begin.status === 'done') {
    metrics.count('WebhookDuplicate');
    return { processed: false, reason: 'duplicate' };
  }
  if (!begin.begun) return { processed: false, reason: 'in_progress' };
  const started = performance.now();
  try {
    const outcome = await applyEvent(needs, event, begin.attempts > 1);
    await ledger.finish(event.id, run, outcome === 'kept' ? 'kept' : 'done', outcome, now());
    metrics.count('WebhookProcessed', { outcome });
    return { processed: true, outcome };
  } catch (error) {
    metrics.count('WebhookFailed');
    await ledger.fail(event.id, run, summaryOf(error), now()).catch((failure: unknown) => {
      // The database is what failed. The lease runs out, and until then Stripe is told to come again.
      log.warn('A failed event could not be recorded as failed', { event: event.id }, failure);
    });
    throw error;
  } finally {
    metrics.duration('WebhookDuration', performance.now() - started);
  }
}

async function applyEvent(needs: BillingNeeds, event: StripeEvent, isRepeated: boolean): Promise<EventOutcome> {
  const { customerId } = event;
  if (customerId === undefined) return 'nobodys';
  const owner = await needs.store.readOwner(customerId);
  switch (owner.kind) {
    case 'deleted_account':
      return endForNobody(needs, customerId);
    case 'user':
      return syncOwner(needs, event, { customerId, uid: owner.uid, isRepeated });
    case 'unknown':
      return adoptHinted(needs, event, customerId);
  }
}

interface Owned {
  readonly customerId: string;
  readonly uid: Uid;
  /** Whether earlier events of the customer may still be waiting. */
  readonly isRepeated: boolean;
}

async function syncOwner(needs: BillingNeeds, event: StripeEvent, owned: Owned): Promise<EventOutcome> {
  const { customerId, uid, isRepeated } = owned;
  const removedCustomer = event.type === 'customer.deleted' ? customerId : undefined;
  const result = await syncSubscription(needs, uid, { eventCreated: event.created, removedCustomer });
  const known = [...(result?.billing.customerIds ?? []), ...(result?.billing.formerCustomerIds ?? [])];
  if (result === undefined || !known.includes(customerId)) {
    const billing = result?.billing ?? (await needs.store.readBilling(uid));
    // Removed by an earlier event: there is nothing left to learn of it.
    if (billing.formerCustomerIds.includes(customerId)) return 'unchanged';
    // The billing record was lost, the mapping was not.
    return mapAndSync(needs, event, customerId, uid);
  }
  if (isRepeated) await applyKeptEvents(needs, customerId);
  if (result.outOfOrder) needs.metrics.count('WebhookOutOfOrder');
  return result.changed ? 'applied' : 'unchanged';
}

/** The mapping is written before anything else is, so that whatever comes next finds it. */
async function mapAndSync(
  needs: BillingNeeds,
  event: StripeEvent,
  customerId: string,
  uid: Uid,
): Promise<EventOutcome> {
  const { store, now } = needs;
  const mapping = await store.mapCustomer({ uid, customerId, besideAnother: true }, now());
  if (mapping.outcome === 'mapped') return syncOwner(needs, event, { customerId, uid, isRepeated: true });
  if (mapping.outcome === 'account_deleted') {
    await store.anonymiseMapping(customerId, now());
    return endForNobody(needs, customerId);
  }
  throw new Error(`a customer was mapped to somebody else meanwhile (${mapping.outcome})`);
}

/** Nobody is known to have the customer: the event's own hint is taken if that user is there, else it waits. */
async function adoptHinted(needs: BillingNeeds, event: StripeEvent, customerId: string): Promise<EventOutcome> {
  const { store, metrics, now } = needs;
  const hinted = await hintedUser(needs, event, customerId);
  if (hinted !== undefined) return mapAndSync(needs, event, customerId, hinted);
  metrics.count('WebhookMappingMiss');
  await store.keepEvent(customerId, event, now());
  // The mapping may have been written between the first look and the keeping: then nobody will look for kept events.
  const owner = await store.readOwner(customerId);
  if (owner.kind !== 'user') return 'kept';
  return syncOwner(needs, event, { customerId, uid: owner.uid, isRepeated: true });
}

async function hintedUser(needs: BillingNeeds, event: StripeEvent, customerId: string): Promise<Uid | undefined> {
  const hint = event.uid ?? (await needs.stripe.findCustomer(customerId))?.uid;
  if (hint === undefined || !isUid(hint)) return undefined;
  // Another product of the same Stripe account may use the same metadata: only a user who is there counts.
  return (await needs.userDirectory.exists(hint)) ? hint : undefined;
}

/** Somebody paid for an account that is deleted: the subscription ends, because nobody could use or cancel it. */
async function endForNobody({ stripe, metrics, log }: BillingNeeds, customerId: string): Promise<EventOutcome> {
  const live = ((await stripe.subscriptionsOf(customerId)) ?? []).filter(isLive);
  for (const { id } of live) {
    await stripe.cancelSubscription(id);
    metrics.count('OrphanSubscriptionCancelled');
    log.warn('A subscription of a deleted account was cancelled', { subscription: id });
  }
  return 'account_deleted';
}

const LONGEST_SUMMARY = 300;

/** The error as operators may read it: no address, no key, no token. */
function summaryOf(error: unknown): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return text
    .replace(/\S+@\S+/g, '(address)')
    .replace(/\b(sk|rk|whsec)_\w+/g, '(secret)')
    .slice(0, LONGEST_SUMMARY);
}
