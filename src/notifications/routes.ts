import type { Route } from '../http/define-route.ts';
import type { Services } from '../platform/services.ts';
import { endpointRoutes } from './endpoints/endpoint-routes.ts';
import { inboxRoutes } from './inbox/inbox-routes.ts';
import type { NotificationParts } from './parts.ts';
import { settingsRoutes } from './settings/settings-routes.ts';
import { unsubscribeRoutes } from './unsubscribe/unsubscribe-routes.ts';

/** The inbox, and how an owner is told. */
export function notificationRoutes(services: Services, parts: NotificationParts): readonly Route[] {
  return [
    ...inboxRoutes(parts),
    ...settingsRoutes(services, parts),
    ...endpointRoutes(services, parts),
    ...unsubscribeRoutes(services, parts),
  ];
}
