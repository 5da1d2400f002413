import type { Route } from '../../http/define-route.ts';
import type { Services } from '../../platform/services.ts';
import type { OtaParts } from '../parts.ts';
import { downloadRoute } from './download-route.ts';
import { latestRoute } from './latest-route.ts';

/** What a phone asks before an update: which firmware, and where to get it. */
export function offerRoutes(services: Services, parts: OtaParts): readonly Route[] {
  const { store, offers, fleet } = parts;
  return [latestRoute(services, parts), downloadRoute(store, offers, fleet)];
}
