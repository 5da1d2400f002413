import type { AliveCheck } from '../platform/aws/dynamo.ts';
import type { Uid } from '../platform/ids.ts';
import { once } from '../platform/once.ts';
import type { Services } from '../platform/services.ts';
import type { LoadBilling } from './billing.ts';
import type { StatusChanged } from './billing-needs.ts';
import type { BillingRecord } from './billing-record.ts';
import type { WebhookHealth } from './webhook/event-admin.ts';

export { whileStripeAnswers } from './billing-errors.ts';
export type { BillingRecord, WebhookHealth };

/** The domain's interface for the others. */
export interface Subscriptions {
  /** For the domain's own routes. */
  readonly billing: LoadBilling;
  /** For account deletion: cancels subscriptions and anonymises what remains. Can be repeated. */
  endBilling(uid: Uid, email: string | undefined): Promise<void>;
  /** For the export: the user's stored billing data. */
  readBilling(uid: Uid): Promise<BillingRecord>;
  /** For the health page. */
  webhookHealth(): Promise<WebhookHealth>;
}

/** Checks for premium in the stored snapshot: one read, no call to Stripe. */
export function premiumCheck(services: Services): (uid: Uid) => Promise<boolean> {
  const loaded = once(async () => {
    const [{ createBillingReader }, { grantsPremium }] = await Promise.all([
      import('./billing-record.ts'),
      import('./status/subscription.ts'),
    ]);
    return { read: createBillingReader(services), grantsPremium };
  });
  return async (uid) => {
    const { read, grantsPremium } = await loaded();
    return grantsPremium((await read(uid)).snapshot, services.clock.now());
  };
}

export function createSubscriptions(
  services: Services,
  aliveCheck: AliveCheck,
  onStatusChanged: StatusChanged,
): Subscriptions {
  const billing = once(async () => (await import('./billing.ts')).createBilling(services, aliveCheck, onStatusChanged));
  return {
    billing,
    endBilling: async (uid, email) => (await billing()).end(uid, email),
    readBilling: async (uid) => (await billing()).read(uid),
    webhookHealth: async () => (await billing()).webhookHealth(),
  };
}
