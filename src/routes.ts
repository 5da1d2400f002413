import type { Route } from './http/define-route.ts';
import type { RouteEntry } from './http/router.ts';
import type { Notify } from './notifications/index.ts';
import type { Uid } from './platform/ids.ts';
import { once } from './platform/once.ts';
import type { Services } from './platform/services.ts';
import { ROUTE_INDEX, type RouteGroup } from './route-index.ts';

/** Returns the loaders of all routes, by group. Everything else derives from these lists. */
export function routeGroups(services: Services): Readonly<Record<RouteGroup, () => Promise<readonly Route[]>>> {
  const account = once(() => import('./account/index.ts'));
  const aliveCheck = once(async () => (await account()).accountAliveCheck(services));
  const subscriptions = once(async () => {
    const [{ createSubscriptions }, alive] = await Promise.all([import('./subscriptions/index.ts'), aliveCheck()]);
    return createSubscriptions(services, alive, async (uid, change) => {
      const notice = (await notifications()).subscriptionNotice(change);
      if (notice !== undefined) await notify(uid, [notice]);
    });
  });
  const notifications = once(() => import('./notifications/index.ts'));
  const zoneReader = once(async () => (await import('./telemetry/index.ts')).ownerZone(services));
  const zoneOf = async (uid: Uid) => (await zoneReader())(uid);
  const intake = once(async () => {
    const [{ createNotify, createNudge }, isAlive] = await Promise.all([notifications(), aliveCheck()]);
    return createNotify(services, { isAlive, zoneOf, nudge: createNudge(services) });
  });
  const notifier = once(async () => (await notifications()).besides(await intake(), services));
  /** Tells an account of something, besides what was asked for: that does not fail with it. */
  const notify: Notify = async (uid, notices) => (await notifier())(uid, notices);
  const otaParts = once(async () => (await import('./ota/parts.ts')).createOtaParts(services));

  return {
    account: once(async () => {
      const [{ accountRoutes }, billing] = await Promise.all([import('./account/routes.ts'), subscriptions()]);
      return accountRoutes(services, billing);
    }),
    subscriptions: once(async () => {
      const [{ subscriptionRoutes }, { webhookRoutes }, { billing }] = await Promise.all([
        import('./subscriptions/routes.ts'),
        import('./subscriptions/webhook/webhook-routes.ts'),
        subscriptions(),
      ]);
      return [...subscriptionRoutes(services, billing), ...webhookRoutes(services, billing)];
    }),
    plants: once(async () => {
      const [{ plantRoutes }, { accountDeletionCheck }] = await Promise.all([import('./plants/index.ts'), account()]);
      return plantRoutes(services, accountDeletionCheck(services));
    }),
    fleet: once(async () => {
      const [{ fleetRoutes }, alive] = await Promise.all([import('./fleet/routes.ts'), aliveCheck()]);
      return fleetRoutes(services, alive);
    }),
    offer: once(async () => {
      // A container's first phone would otherwise wait for these in sequence.
      begin(services.documents);
      begin(services.secrets.values);
      const [{ offerRoutes }, parts] = await Promise.all([import('./ota/offer/routes.ts'), otaParts()]);
      return offerRoutes(services, parts);
    }),
    ota: once(async () => {
      const [{ otaRoutes }, parts] = await Promise.all([import('./ota/routes.ts'), otaParts()]);
      return otaRoutes(services, parts, {
        onUpdateEnded: async (uid, ending) => {
          await notify(uid, [(await notifications()).updateNotice(ending)]);
        },
        readAlarms: async (board, firstDay) =>
          (await import('./telemetry/index.ts')).alarmDays(services, board, firstDay),
      });
    }),
    relay: once(async () => {
      const [{ relayRoutes }, { createRelayParts }, alive] = await Promise.all([
        import('./relay/routes.ts'),
        import('./relay/parts.ts'),
        aliveCheck(),
      ]);
      return relayRoutes(services, createRelayParts(services), alive, async (uid, peer) => {
        await notify(uid, [(await notifications()).newPeerNotice(peer)]);
      });
    }),
    notifications: once(async () => {
      const [{ notificationRoutes }, { createNotificationParts }, { createNudge }, accounts, alive] = await Promise.all(
        [
          import('./notifications/routes.ts'),
          import('./notifications/parts.ts'),
          notifications(),
          account(),
          aliveCheck(),
        ],
      );
      const parts = createNotificationParts(services, {
        isAlive: alive,
        isAccountDeleted: accounts.accountDeletionCheck(services),
        profileOf: accounts.profileWishes(services),
        zoneOf,
        nudge: createNudge(services),
      });
      return notificationRoutes(services, parts);
    }),
    commands: once(async () => {
      const [{ commandRoutes }, { createCommandParts }, { relayAnnouncements }, alive] = await Promise.all([
        import('./commands/routes.ts'),
        import('./commands/parts.ts'),
        import('./relay/index.ts'),
        aliveCheck(),
      ]);
      return commandRoutes(createCommandParts(services, { announce: relayAnnouncements(services), notify }), alive);
    }),
    telemetry: once(async () => {
      const [{ telemetryRoutes }, { accountDeletionCheck }, mustNotify] = await Promise.all([
        import('./telemetry/routes.ts'),
        account(),
        intake(),
      ]);
      return telemetryRoutes(services, {
        notify: mustNotify,
        isAccountDeleted: accountDeletionCheck(services),
      });
    }),
    alive: once(async () => [(await import('./health/alive-route.ts')).aliveRoute()]),
    health: once(async () => {
      const [{ healthRoutes }, { webhookHealth }] = await Promise.all([import('./health/routes.ts'), subscriptions()]);
      return healthRoutes(services, webhookHealth);
    }),
  };
}

/** Starts work in parallel with loading the code that needs it. After a failure, the request itself tries again. */
function begin(work: () => Promise<unknown>): void {
  work().catch(() => undefined);
}

/** Returns an entry per route, without loading any route yet. */
export function routeEntries(services: Services): readonly RouteEntry[] {
  const groups = routeGroups(services);
  return ROUTE_INDEX.map(({ method, path, group, isClosedToPages = false }) => ({
    method,
    path,
    isClosedToPages,
    load: loadOnce(groups[group], method, path),
  }));
}

/** Looks a route up once. */
function loadOnce(group: () => Promise<readonly Route[]>, method: string, path: string): () => Promise<Route> {
  return once(async () => {
    const route = (await group()).find(({ contract }) => contract.method === method && contract.path === path);
    if (route === undefined) throw new Error(`src/route-index.ts is stale: ${method} ${path} is nowhere`);
    return route;
  });
}
