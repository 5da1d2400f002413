import type { Job } from '../platform/jobs/job.ts';
import type { Services } from '../platform/services.ts';
import { createTargets } from './channels/targets.ts';
import { createDeliver } from './delivery/deliver.ts';
import { createDeliverNow, deliverJob } from './delivery/deliver-job.ts';
import { createDueStore } from './delivery/due-store.ts';
import type { ReadDeviceNames, ReadProfileWishes } from './delivery/recipient.ts';
import { createEndpointStore } from './endpoints/endpoint-store.ts';
import { createInboxStore } from './inbox/inbox-store.ts';
import type { ReadZone } from './settings/preferences.ts';
import { createSettingsStore } from './settings/settings-store.ts';
import type { NotificationKey } from './table-keys.ts';

export interface NotificationDelivery {
  readonly job: Job;
  /** Sends these deliveries, if they are still to be made; returns how many messages that were. */
  deliverNow(keys: readonly NotificationKey[]): Promise<number>;
}

/** Puts together what sends messages. */
export function createNotificationDelivery(
  services: Services,
  needs: {
    readonly profileOf: ReadProfileWishes;
    readonly zoneOf: ReadZone;
    readonly namesOf: ReadDeviceNames;
  },
): NotificationDelivery {
  const due = createDueStore(services);
  const deliver = createDeliver(services, {
    ...needs,
    due,
    inbox: createInboxStore(services),
    settings: createSettingsStore(services),
    endpoints: createEndpointStore(services),
    targetsOf: createTargets(services),
  });
  return { job: deliverJob(services, due, deliver), deliverNow: createDeliverNow(due, deliver) };
}
