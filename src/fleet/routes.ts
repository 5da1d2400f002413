import type { Route } from '../http/define-route.ts';
import type { AliveCheck } from '../platform/dynamo.ts';
import type { Services } from '../platform/services.ts';
import { auditRoutes } from './audit-routes.ts';
import { claimRoutes } from './claim-routes.ts';
import { factoryRoutes } from './factory-routes.ts';
import { fleetListRoutes } from './fleet-routes.ts';
import { ownerRoutes } from './owner-routes.ts';
import { reconcileRoutes } from './reconcile-routes.ts';
import { serviceRoutes } from './service-routes.ts';
import { createFleetStore } from './store.ts';
import { transferRoutes } from './transfer-routes.ts';

/** Which device left the factory with which serial, whose it is, and what has happened to it. */
export function fleetRoutes(services: Services, aliveCheck: AliveCheck): readonly Route[] {
  const store = createFleetStore(services);
  return [
    ...factoryRoutes(services, store),
    ...serviceRoutes(services, store, aliveCheck),
    ...claimRoutes(services, store, aliveCheck),
    ...ownerRoutes(services, store),
    ...transferRoutes(services, store, aliveCheck),
    ...reconcileRoutes(services, store),
    ...auditRoutes(store),
    ...fleetListRoutes(services, store),
  ];
}
