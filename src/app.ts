import { accountDeletionCheck, activityNotes } from './account/index.ts';
import { type App, createRouter } from './http/router.ts';
import type { Services } from './platform/services.ts';
import { routeTable } from './routes.ts';
import { premiumCheck } from './subscriptions/index.ts';

/** The whole backend over HTTP; Lambda and the local server only differ in the adapter they put around it. */
export function createApp(services: Services): App {
  return createRouter(routeTable(services), services, {
    isAccountDeleted: accountDeletionCheck(services),
    isPremium: premiumCheck(services),
    noteActivity: activityNotes(services),
  });
}
