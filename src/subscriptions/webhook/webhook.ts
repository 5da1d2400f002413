import { isUid, type Uid } from '../../platform/ids.ts';
import type { BillingNeeds } from '../billing-needs.ts';
import { isLive } from '../status/subscription.ts';
import { syncSubscription } from '../status/sync.ts';
import { applyKeptEvents } from './kept-events.ts';
import type { StripeEvent } from './stripe-event.ts';

/** Result of an event. `kept`: it waits until its customer has an owner. */
export type EventOutcome = 'applied' | 'unchanged' | 'account_deleted' | 'nobodys' | 'kept';

export type Delivery =
  | { readonly processed: true; readonly outcome: EventOutcome }
  | { readonly processed: false; readonly reason: 'duplicate' | 'in_progress' };

/**
 * Processes an event once, however often and in whatever order it arrives: it is recorded before the work and finished
 * after it. A failure is recorded and rethrown, so that Stripe sends the event again. A run that died leaves its lease
 * behind, and the next delivery takes over once that has expired.
 *
 * @param options.again repeats an event that is done, which changes nothing unless Stripe has something new
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
      // The database itself failed. Until the lease expires, Stripe is told to retry.
      log.warn('Could not record an event as failed', { event: event.id }, failure);
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
    // Removed by an earlier event: nothing left to do.
    if (billing.formerCustomerIds.includes(customerId)) return 'unchanged';
    // The billing record was lost, the mapping was not.
    return mapAndSync(needs, event, customerId, uid);
  }
  if (isRepeated) await applyKeptEvents(needs, customerId);
  if (result.outOfOrder) needs.metrics.count('WebhookOutOfOrder');
  return result.changed ? 'applied' : 'unchanged';
}

/** Writes the mapping before anything else, so that whatever comes next finds it. */
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
  throw new Error(`a customer was mapped to another user meanwhile (${mapping.outcome})`);
}

/** For a customer without a known owner: uses the event's hint if that user exists, otherwise keeps the event. */
async function adoptHinted(needs: BillingNeeds, event: StripeEvent, customerId: string): Promise<EventOutcome> {
  const { store, metrics, now } = needs;
  const hinted = await hintedUser(needs, event, customerId);
  if (hinted !== undefined) return mapAndSync(needs, event, customerId, hinted);
  metrics.count('WebhookMappingMiss');
  await store.keepEvent(customerId, event, now());
  // The mapping may have been written between the first read and the keeping: then nobody will look for kept events.
  const owner = await store.readOwner(customerId);
  if (owner.kind !== 'user') return 'kept';
  return syncOwner(needs, event, { customerId, uid: owner.uid, isRepeated: true });
}

async function hintedUser(needs: BillingNeeds, event: StripeEvent, customerId: string): Promise<Uid | undefined> {
  const hint = event.uid ?? (await needs.stripe.findCustomer(customerId))?.uid;
  if (hint === undefined || !isUid(hint)) return undefined;
  // Another product of the same Stripe account may use the same metadata: only an existing user counts.
  return (await needs.userDirectory.exists(hint)) ? hint : undefined;
}

/** Cancels subscriptions paid for a deleted account, because nobody could use or cancel them. */
async function endForNobody({ stripe, metrics, log }: BillingNeeds, customerId: string): Promise<EventOutcome> {
  const live = ((await stripe.subscriptionsOf(customerId)) ?? []).filter(isLive);
  for (const { id } of live) {
    await stripe.cancelSubscription(id);
    metrics.count('OrphanSubscriptionCancelled');
    log.warn('Cancelled a subscription of a deleted account', { subscription: id });
  }
  return 'account_deleted';
}

const LONGEST_SUMMARY = 300;

/** Describes the error for operators, without addresses, keys or tokens. */
function summaryOf(error: unknown): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return text
    .replace(/\S+@\S+/g, '(address)')
    .replace(/\b(sk|rk|whsec)_\w+/g, '(secret)')
    .slice(0, LONGEST_SUMMARY);
}
