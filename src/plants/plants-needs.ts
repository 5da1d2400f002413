import type { Uid } from '../platform/ids.ts';
import type { PlantProviders, Services } from '../platform/services.ts';
import { type Conversations, createConversations } from './doctor/conversations.ts';
import { createProviderHealth, type ProviderHealthBook } from './providers/provider-health.ts';
import { createResultCache, type ResultCache } from './result-cache.ts';
import { createUsageStore, type UsageStore } from './usage/usage-store.ts';

/** Dependencies of this domain's logic. */
export interface PlantsNeeds {
  readonly providers: () => Promise<PlantProviders>;
  readonly health: ProviderHealthBook;
  readonly cache: ResultCache;
  readonly usage: UsageStore;
  readonly conversations: Conversations;
  readonly metrics: Services['metrics'];
  readonly log: Services['log'];
  readonly now: () => number;
  /** Whether the account is deleted or being deleted; uses counted in the meantime must not stay behind. */
  readonly isAccountDeleted: (uid: Uid) => Promise<boolean>;
}

export function plantsNeeds(services: Services, isAccountDeleted: PlantsNeeds['isAccountDeleted']): PlantsNeeds {
  return {
    providers: services.plantProviders,
    health: createProviderHealth(services),
    cache: createResultCache(services),
    usage: createUsageStore(services),
    conversations: createConversations(services),
    metrics: services.metrics,
    log: services.log,
    now: () => services.clock.now(),
    isAccountDeleted,
  };
}
