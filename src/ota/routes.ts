import type { Route } from '../http/define-route.ts';
import type { Services } from '../platform/services.ts';
import type { OtaParts } from './parts.ts';
import { createLeaseStore } from './progress/lease-store.ts';
import { reportRoutes, type UpdateEnded } from './progress/report-routes.ts';
import { adminRoutes } from './registry/admin-routes.ts';
import { keyRoutes } from './registry/key-routes.ts';
import { createKeyStore } from './registry/key-store.ts';
import type { ReadAlarms } from './rollout/alarm-rate.ts';
import { rolloutRoutes } from './rollout/rollout-routes.ts';
import { statsRoutes } from './rollout/stats-routes.ts';

/** Publishing and rolling out firmware, and its progress; what a phone asks before an update is in `offer/`. */
export function otaRoutes(
  services: Services,
  parts: OtaParts,
  { onUpdateEnded, readAlarms }: { readonly onUpdateEnded: UpdateEnded; readonly readAlarms: ReadAlarms },
): readonly Route[] {
  const { store, progress, offers, fleet, nonces, signer } = parts;
  const keys = createKeyStore(services);
  return [
    ...reportRoutes(
      services,
      { fleet, store, progress, nonces, offers, readAlarms },
      createLeaseStore(services),
      onUpdateEnded,
    ),
    ...adminRoutes(services, { store, keys, offers }),
    ...rolloutRoutes(services, { store, progress, offers }),
    ...statsRoutes({ store, progress, fleet }),
    ...keyRoutes(keys, signer),
  ];
}
