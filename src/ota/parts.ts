import { createFleetDevices, type FleetDevices } from '../fleet/index.ts';
import { createNonces, type Nonces } from '../platform/nonces.ts';
import type { Services } from '../platform/services.ts';
import { createDecisionSigner, type DecisionSigner } from './offer/decision-signature.ts';
import { createOffers, type OfferService } from './offer/offers.ts';
import { createProgressStore, type ProgressStore } from './progress/progress-store.ts';
import { createReleaseStore, type ReleaseStore } from './registry/store.ts';

/** Shared by the domain's routes, so that a release changed by one is visible to the others at once. */
export interface OtaParts {
  readonly store: ReleaseStore;
  readonly progress: ProgressStore;
  readonly offers: OfferService;
  readonly fleet: FleetDevices;
  readonly nonces: Nonces;
  readonly signer: DecisionSigner;
}

export function createOtaParts(services: Services): OtaParts {
  const store = createReleaseStore(services);
  return {
    store,
    progress: createProgressStore(services),
    offers: createOffers(services, store),
    fleet: createFleetDevices(services),
    nonces: createNonces(services),
    signer: createDecisionSigner(services.secrets),
  };
}
