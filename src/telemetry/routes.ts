import { createFleetDevices } from '../fleet/index.ts';
import type { Route } from '../http/define-route.ts';
import type { Notify } from '../notifications/index.ts';
import type { HwId, Uid } from '../platform/ids.ts';
import type { Services } from '../platform/services.ts';
import { fleetHealthRoute } from './health/health-route.ts';
import { createHealthStore } from './health/health-store.ts';
import { createUploadWeeks } from './health/upload-weeks.ts';
import { createIngest } from './ingest/ingest.ts';
import { uploadRoute } from './ingest/upload-route.ts';
import { insightsRoute } from './insights/insights-route.ts';
import { runsRoute } from './reading/runs-route.ts';
import { seriesRoute } from './reading/series-route.ts';
import { summaryRoute } from './reading/summary-route.ts';
import { settingsRoutes } from './settings/settings-routes.ts';
import { createSettingsStore } from './settings/settings-store.ts';
import { createTelemetryStore } from './store/telemetry-store.ts';
import { newsIn } from './telling/news.ts';

/** What telemetry needs of other domains. */
export interface TelemetryNeeds {
  /** Alarms and what turned bad are told before the upload is taken: if that fails, the phone repeats it. */
  readonly notify: Notify;
  readonly isAccountDeleted: (uid: Uid) => Promise<boolean>;
}

/** What devices tell, and what owners read of it. */
export function telemetryRoutes(services: Services, { notify, isAccountDeleted }: TelemetryNeeds): readonly Route[] {
  const fleet = createFleetDevices(services);
  const store = createTelemetryStore(services);
  const weeks = createUploadWeeks(services);
  const ingest = createIngest(services, async (ingested) => {
    const { uid, device, before, now } = ingested;
    await Promise.all([weeks.note(device.hwId, before, now), notify(uid, newsIn(ingested))]);
  });
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
    insightsRoute(fleet, store),
    fleetHealthRoute(createHealthStore(services)),
  ];
}
