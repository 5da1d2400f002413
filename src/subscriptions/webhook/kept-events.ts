import type { BillingNeeds } from '../billing-needs.ts';

const AT_ONCE = 25;

/**
 * Settles the events that arrived before their customer had an owner. The subscription is read from Stripe after the
 * mapping was written, so it already includes what they reported; here they only stop waiting.
 */
export async function applyKeptEvents(needs: Pick<BillingNeeds, 'store' | 'ledger' | 'now'>, customerId: string) {
  const { store, ledger, now } = needs;
  for (;;) {
    const kept = await store.listKept(customerId, AT_ONCE);
    if (kept.length === 0) return;
    for (const event of kept) {
      await ledger.settle(event.id, 'applied_late', now());
      await store.dropKept(customerId, event);
    }
  }
}
