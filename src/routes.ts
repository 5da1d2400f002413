import { accountAliveCheck, accountRoutes } from './account/index.ts';
import { fleetRoutes } from './fleet/index.ts';
import { healthRoutes } from './health/index.ts';
import type { Route } from './http/define-route.ts';
import { otaRoutes } from './ota/index.ts';
import type { Services } from './platform/services.ts';

/**
 * Every route of the product. The app, the docs, the template's events and the smoke test derive from this list.
 */
export function routeTable(services: Services): readonly Route[] {
  return [
    ...accountRoutes(services),
    ...fleetRoutes(services, accountAliveCheck(services)),
    ...otaRoutes(services),
    ...healthRoutes(services),
  ];
}
