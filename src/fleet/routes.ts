import type { Route } from '../http/define-route.ts';
import type { AliveCheck } from '../platform/aws/dynamo.ts';
import type { Services } from '../platform/services.ts';
import { auditRoutes } from './audit/audit-routes.ts';
import { createFleetStore } from './device/store.ts';
import { factoryRoutes } from './factory/factory-routes.ts';
import { fleetListRoutes } from './overview/fleet-routes.ts';
import { claimRoutes } from './ownership/claim-routes.ts';
import { ownerRoutes } from './ownership/owner-routes.ts';
import { transferRoutes } from './ownership/transfer-routes.ts';
import { reconcileRoutes } from './reconcile/reconcile-routes.ts';
import { serviceRoutes } from './service/service-routes.ts';

/** Serials, ownership and history of every device that left the factory. */
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
