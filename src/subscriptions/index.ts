import type { AliveCheck } from '../platform/aws/dynamo.ts';
import type { Uid } from '../platform/ids.ts';
import { once } from '../platform/once.ts';
import type { Services } from '../platform/services.ts';
import type { LoadBilling } from './billing.ts';
import type { BillingRecord } from './billing-record.ts';
import type { WebhookHealth } from './webhook/event-admin.ts';

export { whileStripeAnswers } from './billing-errors.ts';
export type { BillingRecord, WebhookHealth };

/** The domain as the others see it. */
export interface Subscriptions {
  /** For the domain's own routes. */
  readonly billing: LoadBilling;
  /** For the deletion of an account: ends what is paid for and makes what stays nameless. Can be repeated. */
  endBilling(uid: Uid, email: string | undefined): Promise<void>;
  /** For the export: what is stored of the user's billing. */
  readBilling(uid: Uid): Promise<BillingRecord>;
  /** For the health page. */
  webhookHealth(): Promise<WebhookHealth>;
}

/** Whether the user has premium by the stored snapshot: one read, and nobody waits for Stripe. */
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

export function createSubscriptions(services: Services, aliveCheck: AliveCheck): Subscriptions {
  const billing = once(async () => (await import('./billing.ts')).createBilling(services, aliveCheck));
  return {
    billing,
    endBilling: async (uid, email) => (await billing()).end(uid, email),
    readBilling: async (uid) => (await billing()).read(uid),
    webhookHealth: async () => (await billing()).webhookHealth(),
  };
}
