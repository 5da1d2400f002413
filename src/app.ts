import type { App } from './http/exchange.ts';
import { createRouter } from './http/router.ts';
import { once } from './platform/once.ts';
import type { Services } from './platform/services.ts';
import { routeEntries } from './routes.ts';

/** Creates the whole backend. Lambda and the local server differ only in their adapter. */
export function createApp(services: Services): App {
  const account = once(async () => {
    const { accountDeletionCheck, activityNotes } = await import('./account/index.ts');
    return { isDeleted: accountDeletionCheck(services), noteActivity: activityNotes(services) };
  });
  const isPremium = once(async () => (await import('./subscriptions/index.ts')).premiumCheck(services));
  const peerOf = once(async () => (await import('./relay/index.ts')).peerOf(services));
  return createRouter(routeEntries(services), services, {
    isAccountDeleted: async (uid) => (await account()).isDeleted(uid),
    noteActivity: async (uid) => (await account()).noteActivity(uid),
    peerOf: async (token) => (await peerOf())(token),
    isPremium: async (uid) => (await isPremium())(uid),
  });
}
