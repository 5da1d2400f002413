import { createFleetDevices } from '../fleet/index.ts';
import type { Route } from '../http/define-route.ts';
import { createNonces } from '../platform/nonces.ts';
import type { Services } from '../platform/services.ts';
import { adminRoutes } from './admin-routes.ts';
import { createDecisionSigner } from './decision-signature.ts';
import { downloadRoute } from './download-route.ts';
import { keyRoutes } from './key-routes.ts';
import { createKeyStore } from './key-store.ts';
import { latestRoute } from './latest-route.ts';
import { createLeaseStore } from './lease-store.ts';
import { createOffers } from './offers.ts';
import { createProgressStore } from './progress-store.ts';
import { reportRoutes } from './report-routes.ts';
import { rolloutRoutes } from './rollout-routes.ts';
import { statsRoutes } from './stats-routes.ts';
import { createReleaseStore } from './store.ts';

/** Which firmware a device should run, how it gets there, and what becomes of it. */
export function otaRoutes(services: Services): readonly Route[] {
  const store = createReleaseStore(services);
  const progress = createProgressStore(services);
  const keys = createKeyStore(services);
  const offers = createOffers(services, store);
  const fleet = createFleetDevices(services);
  const nonces = createNonces(services);
  const signer = createDecisionSigner(services.secrets);
  return [
    latestRoute(services, { offers, progress, fleet, nonces, signer }),
    downloadRoute(store, offers, fleet),
    ...reportRoutes(services, { fleet, store, progress, nonces, offers }, createLeaseStore(services)),
    ...adminRoutes(services, { store, keys, offers }),
    ...rolloutRoutes(services, { store, progress, offers }),
    ...statsRoutes({ store, progress, fleet }),
    ...keyRoutes(keys, signer),
  ];
}
