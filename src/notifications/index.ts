import type { AliveCheck } from '../platform/aws/dynamo.ts';
import type { Uid } from '../platform/ids.ts';
import { once } from '../platform/once.ts';
import type { Services } from '../platform/services.ts';
import type { NotificationRecords } from './account-notifications.ts';
import type { ReadProfileWishes } from './delivery/recipient.ts';
import type { Nudge } from './intake/notify.ts';
import type { Notice, Notify } from './notice.ts';
import type { ReadZone } from './settings/preferences.ts';

export { newPeerNotice, subscriptionNotice, updateAvailableNotice, updateNotice } from './causes.ts';
export type { Notice, NoticeKind, NoticeSeverity, Notify } from './notice.ts';
export type { NotificationRecords, ReadProfileWishes, ReadZone };

export interface NotifyNeeds {
  readonly isAlive: AliveCheck;
  readonly zoneOf?: ReadZone;
  /** Has what is due delivered at once. Without it the next regular run delivers. */
  readonly nudge?: Nudge;
}

/**
 * Takes notices in for an account: one message per cause. Loaded with the first notice.
 *
 * @throws DependencyUnavailableError; a caller for whom telling is not the point uses `besides`
 */
export function createNotify(services: Services, needs: NotifyNeeds): Notify {
  const { isAlive, zoneOf = async () => undefined, nudge = async () => {} } = needs;
  const loaded = once(async () => {
    const [{ createIntake }, { createIntakeStore }, { createSettingsStore }] = await Promise.all([
      import('./intake/notify.ts'),
      import('./intake/intake-store.ts'),
      import('./settings/settings-store.ts'),
    ]);
    return createIntake(services, {
      intake: createIntakeStore(services, isAlive),
      settings: createSettingsStore(services),
      ...{ zoneOf, nudge },
    });
  });
  return async (uid, notices) => {
    if (notices.length > 0) await (await loaded())(uid, notices);
  };
}

/** Notifies without failing what happened: a failure is logged and counted. */
export function besides(notify: Notify, { log, metrics }: Pick<Services, 'log' | 'metrics'>): Notify {
  return async (uid: Uid, notices: readonly Notice[]) => {
    try {
      await notify(uid, notices);
    } catch (error) {
      metrics.count('NotifyFailed');
      log.error('Could not take in notices', { notices: notices.length }, error);
    }
  };
}

/** Has the function for work by time deliver at once; does nothing where there is none, as it looks regularly. */
export function createNudge({ config, startFunction }: Pick<Services, 'config' | 'startFunction'>): Nudge {
  const { jobsFunction } = config.notifications;
  return async (dues) => {
    if (jobsFunction === undefined) return;
    for (let from = 0; from < dues.length; from += NUDGED_TOGETHER) {
      const keys = dues.slice(from, from + NUDGED_TOGETHER).map(({ key }) => key);
      await startFunction(jobsFunction, { deliver: keys });
    }
  };
}

/** An event that starts a function has at most 256 KB; a key has about 200 bytes. */
const NUDGED_TOGETHER = 500;

/** What an account's deletion and export do about notifications. */
export interface NotificationAccounts {
  /** Removes all messages, preferences and subscriptions of an account that is being deleted. Can be repeated. */
  remove(uid: Uid): Promise<void>;
  /** The messages of the inbox, the newest 2,000 at most, with preferences and subscriptions. */
  read(uid: Uid): Promise<NotificationRecords>;
}

/** Loaded on first use. */
export function notificationAccounts(services: Services): NotificationAccounts {
  const loaded = once(async () => {
    const { createAccountNotifications } = await import('./account-notifications.ts');
    return createAccountNotifications(services);
  });
  return {
    remove: async (uid) => (await loaded()).remove(uid),
    read: async (uid) => (await loaded()).read(uid),
  };
}
