import { createFleetDevices } from '../fleet/index.ts';
import type { Route } from '../http/define-route.ts';
import { createNonces } from '../platform/nonces.ts';
import type { Services } from '../platform/services.ts';
import { createDecisionSigner } from './offer/decision-signature.ts';
import { downloadRoute } from './offer/download-route.ts';
import { latestRoute } from './offer/latest-route.ts';
import { createOffers } from './offer/offers.ts';
import { createLeaseStore } from './progress/lease-store.ts';
import { createProgressStore } from './progress/progress-store.ts';
import { reportRoutes } from './progress/report-routes.ts';
import { adminRoutes } from './registry/admin-routes.ts';
import { keyRoutes } from './registry/key-routes.ts';
import { createKeyStore } from './registry/key-store.ts';
import { createReleaseStore } from './registry/store.ts';
import { rolloutRoutes } from './rollout/rollout-routes.ts';
import { statsRoutes } from './rollout/stats-routes.ts';

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
