import type { BillingNeeds } from '../billing-needs.ts';

const AT_ONCE = 25;

/**
 * Ends the events that came before anybody knew whose customer they are about. The user's subscription is read from
 * Stripe after the mapping was written, so it holds what they had to say; here they only cease to wait.
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
