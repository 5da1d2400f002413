import type { Route } from '../http/define-route.ts';
import type { AliveCheck } from '../platform/dynamo.ts';
import type { Uid } from '../platform/ids.ts';
import type { Services } from '../platform/services.ts';
import { billingNeeds } from './billing-needs.ts';
import { endBilling } from './ending.ts';
import { type WebhookHealth, webhookHealth } from './event-admin.ts';
import { subscriptionRoutes } from './routes.ts';
import type { Billing } from './store.ts';
import { webhookRoutes } from './webhook-routes.ts';

export { whileStripeAnswers } from './billing-errors.ts';
export type { Billing, WebhookHealth };

/** The domain as the others see it. */
export interface Subscriptions {
  readonly routes: readonly Route[];
  /** For the deletion of an account: ends what is paid for and makes what stays nameless. Can be repeated. */
  endBilling(uid: Uid, email: string | undefined): Promise<void>;
  /** For the export: what is stored of the user's billing. */
  readBilling(uid: Uid): Promise<Billing>;
  /** For the health page. */
  webhookHealth(): Promise<WebhookHealth>;
}

export function createSubscriptions(services: Services, aliveCheck: AliveCheck): Subscriptions {
  const needs = billingNeeds(services, aliveCheck);
  return {
    routes: [...subscriptionRoutes(services, needs), ...webhookRoutes(needs)],
    endBilling: (uid, email) => endBilling(needs, uid, email),
    readBilling: (uid) => needs.store.readBilling(uid),
    webhookHealth: () => webhookHealth(needs),
  };
}
