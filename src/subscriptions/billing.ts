import type { AliveCheck } from '../platform/aws/dynamo.ts';
import type { Uid } from '../platform/ids.ts';
import type { Log } from '../platform/observability/log.ts';
import type { Services } from '../platform/services.ts';
import { billingNeeds, type StatusChanged } from './billing-needs.ts';
import { type CheckoutUrls, openCheckout } from './checkout/checkout.ts';
import type { Buyer } from './checkout/customer.ts';
import { endBilling } from './status/ending.ts';
import { createRecoverySlots } from './status/recovery-slots.ts';
import { subscriptionStatus } from './status/status.ts';
import type { EventQuery } from './webhook/event-admin.ts';
import { listAtStripe, listInLedger, replayEvent, webhookHealth } from './webhook/event-admin.ts';
import type { StripeEvent } from './webhook/stripe-event.ts';
import { processEvent } from './webhook/webhook.ts';

/**
 * The whole domain behind one import. Routes load it on the first request that needs it, because most containers start
 * for something else.
 */
export async function createBilling(services: Services, aliveCheck: AliveCheck, onStatusChanged: StatusChanged) {
  const needs = await billingNeeds(services, aliveCheck, onStatusChanged);
  const slots = createRecoverySlots(services);
  return {
    status: (user: Buyer, log: Log) => subscriptionStatus(needs, slots, user, log),
    checkout: (buyer: Buyer, urls: CheckoutUrls, priceId: string) => openCheckout(needs, buyer, urls, priceId),
    /** Returns a URL to manage the subscription; undefined for a user without a customer. */
    async portal(uid: Uid, returnUrl: string): Promise<string | undefined> {
      const { customerId } = await needs.store.readBilling(uid);
      return customerId === null ? undefined : needs.stripe.openPortal(customerId, returnUrl);
    },
    read: (uid: Uid) => needs.store.readBilling(uid),
    end: (uid: Uid, email: string | undefined) => endBilling(needs, uid, email),
    process: (event: StripeEvent) => processEvent(needs, event, { again: false }),
    replay: (eventId: string) => replayEvent(needs, eventId),
    readEvent: (eventId: string) => needs.ledger.read(eventId),
    listEvents: (query: EventQuery) =>
      query.source === 'stripe' ? listAtStripe(needs, query) : listInLedger(needs, query),
    webhookHealth: () => webhookHealth(needs),
  };
}

export type Billing = Awaited<ReturnType<typeof createBilling>>;
/** Returns the domain's operations; loads them on the first call. */
export type LoadBilling = () => Promise<Billing>;
