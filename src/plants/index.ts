import type { Route } from '../http/define-route.ts';
import type { Uid } from '../platform/ids.ts';
import { once } from '../platform/once.ts';
import type { Services } from '../platform/services.ts';
import { premiumCheck } from '../subscriptions/index.ts';
import { photoRoutes } from './photo/photo-routes.ts';
import { plantHealthRoutes } from './providers/health-routes.ts';
import { plantServiceRoutes } from './routes.ts';

/** @param isAccountDeleted supplied by the account domain, on which this one does not depend */
export function plantRoutes(services: Services, isAccountDeleted: (uid: Uid) => Promise<boolean>): readonly Route[] {
  const plants = once(async () => (await import('./plants.ts')).createPlants(services, isAccountDeleted));
  const isPremium = premiumCheck(services);
  return [
    ...photoRoutes(services, plants, isPremium),
    ...plantServiceRoutes(services, plants, isPremium),
    ...plantHealthRoutes(services, plants),
  ];
}
