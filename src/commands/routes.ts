import type { Route } from '../http/define-route.ts';
import type { AliveCheck } from '../platform/aws/dynamo.ts';
import type { CommandParts } from './parts.ts';
import { carrierRoutes } from './rest/carrier-routes.ts';
import { ownerRoutes } from './rest/owner-routes.ts';
import { settingsRoutes } from './rest/settings-routes.ts';

/** Telling devices what to do through whoever is near them. */
export function commandRoutes(parts: CommandParts, isAlive: AliveCheck): readonly Route[] {
  return [...ownerRoutes(parts, isAlive), ...carrierRoutes(parts), ...settingsRoutes(parts, isAlive)];
}
