import { accountAliveCheck, accountDeletionCheck, accountRoutes } from './account/index.ts';
import { fleetRoutes } from './fleet/index.ts';
import { healthRoutes } from './health/index.ts';
import type { Route } from './http/define-route.ts';
import { otaRoutes } from './ota/index.ts';
import { plantRoutes } from './plants/index.ts';
import type { Services } from './platform/services.ts';
import { createSubscriptions } from './subscriptions/index.ts';

/**
 * Every route of the product. The app, the docs, the template's events and the smoke test derive from this list.
 */
export function routeTable(services: Services): readonly Route[] {
  const aliveCheck = accountAliveCheck(services);
  const subscriptions = createSubscriptions(services, aliveCheck);
  return [
    ...accountRoutes(services, subscriptions),
    ...subscriptions.routes,
    ...plantRoutes(services, accountDeletionCheck(services)),
    ...fleetRoutes(services, aliveCheck),
    ...otaRoutes(services),
    ...healthRoutes(services, subscriptions.webhookHealth),
  ];
}
