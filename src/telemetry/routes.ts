import { createFleetDevices } from '../fleet/index.ts';
import type { Route } from '../http/define-route.ts';
import type { HwId, Uid } from '../platform/ids.ts';
import type { Services } from '../platform/services.ts';
import { createIngest, type OnIngested } from './ingest/ingest.ts';
import { uploadRoute } from './ingest/upload-route.ts';
import { runsRoute } from './reading/runs-route.ts';
import { seriesRoute } from './reading/series-route.ts';
import { summaryRoute } from './reading/summary-route.ts';
import { settingsRoutes } from './settings/settings-routes.ts';
import { createSettingsStore } from './settings/settings-store.ts';
import { createTelemetryStore } from './store/telemetry-store.ts';

/** What telemetry needs of other domains. */
export interface TelemetryNeeds {
  readonly onIngested: OnIngested;
  readonly isAccountDeleted: (uid: Uid) => Promise<boolean>;
}

/** What devices tell, and what owners read of it. */
export function telemetryRoutes(
  services: Services,
  { onIngested, isAccountDeleted }: TelemetryNeeds,
): readonly Route[] {
  const fleet = createFleetDevices(services);
  const store = createTelemetryStore(services);
  const ingest = createIngest(services, onIngested);
  const settings = createSettingsStore(services);
  const forget = async (uid: Uid, hwId: HwId) => {
    await Promise.all([store.removeDevice(uid, hwId), settings.remove(uid)]);
  };
  return [
    uploadRoute(services, { fleet, ingest, isAccountDeleted, forget }),
    ...settingsRoutes(settings, isAccountDeleted),
    runsRoute(fleet, store),
    seriesRoute(fleet, store),
    summaryRoute(fleet, store),
  ];
}
