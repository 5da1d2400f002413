import type { EventDraft } from '@autowatering/relay-client';
import type { VisitOutcome } from '../phone/owner-visit.ts';
import type { HubAttempt } from './hub-memory.ts';

/** The stream of the account in which a hub tells what happens to its devices. Each event's key is a serial. */
export const DEVICES_STREAM = 'devices';

/** What the account's phones learn of an update by a hub. */
export type HubEvent = { readonly update: HubAttempt } & (
  | { readonly type: 'device.update.started' }
  | { readonly type: 'device.update.paused'; readonly reason: 'phone_near' | 'stop_waits' | 'out_of_reach' }
  | {
      readonly type: 'device.update.finished';
      readonly outcome: VisitOutcome['outcome'];
      readonly isVerified: boolean;
    }
);

/** The event as it is published. Its id says what it tells, so that phones recognise one that is told twice. */
export function hubEventDraft(serial: string, event: HubEvent): EventDraft {
  const { update, type } = event;
  const { updateId, version, fromVersion, tries } = update;
  return {
    type,
    key: serial,
    ...(type === 'device.update.paused'
      ? {}
      : { event_id: `${updateId}-${type === 'device.update.started' ? 's' : 'f'}` }),
    payload: {
      ...{ serial, update_id: updateId, version, from_version: fromVersion, tries },
      ...(type === 'device.update.paused' && { reason: event.reason }),
      ...(type === 'device.update.finished' && { outcome: event.outcome, verified: event.isVerified }),
    },
  };
}
