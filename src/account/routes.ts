import type { Route } from '../http/define-route.ts';
import type { Services } from '../platform/services.ts';
import type { Subscriptions } from '../subscriptions/index.ts';
import { accountDataRoutes } from './account-data-routes.ts';
import { profileRoutes } from './profile-routes.ts';
import { stateRoutes } from './state-routes.ts';
import { createAccountStore } from './store.ts';

/** Routes for the app's data about its user: a profile, one opaque state document, and all that is kept as a whole. */
export function accountRoutes(services: Services, subscriptions: Subscriptions): readonly Route[] {
  const store = createAccountStore(services);
  return [
    ...profileRoutes(store, services),
    ...stateRoutes(store, services),
    ...accountDataRoutes(store, services, subscriptions),
  ];
}
