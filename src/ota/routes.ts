import type { Route } from '../http/define-route.ts';
import type { Services } from '../platform/services.ts';
import { adminRoutes } from './admin-routes.ts';
import { createOffers } from './offers.ts';
import { phoneRoutes } from './phone-routes.ts';
import { createReleaseStore } from './store.ts';

/** Which firmware a device should run, and how it gets there. */
export function otaRoutes(services: Services): readonly Route[] {
  const store = createReleaseStore(services);
  const offers = createOffers(services, store);
  return [...phoneRoutes(store, offers), ...adminRoutes(services, store, offers)];
}
