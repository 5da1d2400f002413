import type { AliveCheck } from '../platform/aws/dynamo.ts';
import type { Uid } from '../platform/ids.ts';
import type { Services } from '../platform/services.ts';
import { createDueStore, type DueStore } from './delivery/due-store.ts';
import type { ReadProfileWishes } from './delivery/recipient.ts';
import { createEndpointStore, type EndpointStore } from './endpoints/endpoint-store.ts';
import { createInboxStore, type InboxStore } from './inbox/inbox-store.ts';
import type { Nudge } from './intake/notify.ts';
import type { ReadZone } from './settings/preferences.ts';
import { createSettingsStore, type SettingsStore } from './settings/settings-store.ts';

/** What other domains supply. */
export interface NotificationNeeds {
  readonly isAlive: AliveCheck;
  readonly isAccountDeleted: (uid: Uid) => Promise<boolean>;
  readonly profileOf: ReadProfileWishes;
  readonly zoneOf: ReadZone;
  /** Has what is due delivered at once. */
  readonly nudge: Nudge;
}

export interface NotificationParts extends NotificationNeeds {
  readonly settings: SettingsStore;
  readonly inbox: InboxStore;
  readonly endpoints: EndpointStore;
  readonly due: DueStore;
}

export function createNotificationParts(services: Services, needs: NotificationNeeds): NotificationParts {
  return {
    ...needs,
    settings: createSettingsStore(services),
    inbox: createInboxStore(services),
    endpoints: createEndpointStore(services),
    due: createDueStore(services),
  };
}
