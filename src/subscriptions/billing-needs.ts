import type { AliveCheck } from '../platform/aws/dynamo.ts';
import type { Uid } from '../platform/ids.ts';
import type { Services } from '../platform/services.ts';
import type { StripeGateway } from '../platform/stripe/stripe-gateway.ts';
import { emailHasher } from './email-hash.ts';
import { type BillingStore, createBillingStore } from './store.ts';
import { createEventLedger, type EventLedger } from './webhook/event-ledger.ts';

export interface StatusChange {
  readonly subscriptionId: string;
  /** Stripe's status before; null if the subscription was not known. */
  readonly from: string | null;
  readonly to: string;
  /** RFC 3339. */
  readonly currentPeriodEnd: string | null;
  /** When it was noticed, in milliseconds since 1970. */
  readonly at: number;
}

/** Is told when a subscription's status changed, so that its owner can be. */
export type StatusChanged = (uid: Uid, change: StatusChange) => Promise<void>;

/** Dependencies of this domain's logic: external services and the domain's own stores on top of them. */
export interface BillingNeeds {
  readonly store: BillingStore;
  readonly ledger: EventLedger;
  readonly stripe: StripeGateway;
  readonly userDirectory: Services['userDirectory'];
  readonly metrics: Services['metrics'];
  readonly log: Services['log'];
  readonly randomness: Services['randomness'];
  readonly priceId: string | undefined;
  readonly now: () => number;
  readonly onStatusChanged: StatusChanged;
  /** Returns a keyed hash by which an e-mail address can be recognised but not read. */
  readonly hashEmail: (email: string) => Promise<string>;
}

export async function billingNeeds(
  services: Services,
  aliveCheck: AliveCheck,
  onStatusChanged: StatusChanged,
): Promise<BillingNeeds> {
  const { config, clock, userDirectory, metrics, log, randomness, secrets } = services;
  return {
    stripe: await services.stripe(),
    ...{ userDirectory, metrics, log, randomness },
    store: createBillingStore(services, aliveCheck),
    ledger: createEventLedger(services),
    onStatusChanged,
    priceId: config.billing.priceId,
    now: () => clock.now(),
    hashEmail: emailHasher(secrets),
  };
}
