import * as z from 'zod';
import { commandAccounts } from '../commands/index.ts';
import { deviceRecordsOf, releaseDevicesOf } from '../fleet/index.ts';
import { defineRoute, type Route } from '../http/define-route.ts';
import { ApiError } from '../http/errors.ts';
import { notificationAccounts } from '../notifications/index.ts';
import type { Uid } from '../platform/ids.ts';
import type { Services } from '../platform/services.ts';
import { relayAccounts } from '../relay/index.ts';
import { type Subscriptions, whileStripeAnswers } from '../subscriptions/index.ts';
import { telemetryAccounts } from '../telemetry/index.ts';
import { deleteAccount, isRecentLogin } from './deletion.ts';
import { directoryEntryOf } from './directory-entry.ts';
import { AccountExport, exportAccount } from './export.ts';
import type { AccountStore } from './store.ts';
import { readUserState } from './user-state.ts';

/** For routes that are called about once in an account's life and make a dozen calls each. */
const RARE = { requestsPerSecond: 5, burst: 10 } as const;

/** Deletes and exports everything that any domain keeps of the user. */
export function accountDataRoutes(
  store: AccountStore,
  services: Services,
  subscriptions: Subscriptions,
): readonly Route[] {
  const relay = relayAccounts(services);
  const telemetry = telemetryAccounts(services);
  const commands = commandAccounts(services);
  const notifications = notificationAccounts(services);
  const { metrics, userDirectory } = services;

  const deleteMyAccount = defineRoute({
    method: 'POST',
    path: '/deleteMyAccount',
    throttle: RARE,
    auth: 'cognito',
    idempotent: true,
    domain: 'account',
    summary: 'Deletes the account and all data about the user',
    description:
      "Revokes the user's phones and hubs, cancels the subscription, removes what devices told and were told, releases them, removes every record, then the login. What the archive has of the account leaves it within three days. Needs a sign-in " +
      'within the last 10 minutes. Can be repeated after any failure and finishes what is left; in the meantime all ' +
      'other calls of the user get 410.',
    rateLimit: { requests: 10, windowSeconds: 600 },
    body: z.strictObject({ confirmText: z.literal('DELETE') }),
    responses: { 200: z.object({ ok: z.literal(true), deleted: z.literal(true) }) },
    errors: ['recent_login_required', 'billing_unavailable'],
    openToDeletedAccounts: true,
  }).handledBy(async ({ caller }, { now, log }) => {
    if (!isRecentLogin(caller.authTime, now)) {
      throw new ApiError('recent_login_required', 'Please sign in again before you delete your account.');
    }
    const steps = {
      removeRelay: relay.remove,
      removeGarden: async (uid: Uid) => {
        await commands.remove(uid);
        await telemetry.remove(uid);
        await notifications.remove(uid);
      },
      releaseDevices: releaseDevicesOf(services),
      endBilling: async (uid: Uid) => {
        // The token may still carry the address when the login is already gone.
        const email = caller.email ?? (await userDirectory.find(caller.username))?.email ?? undefined;
        await whileStripeAnswers(() => subscriptions.endBilling(uid, email));
      },
    };
    await deleteAccount(store, services, steps, caller);
    metrics.count('AccountDeleted');
    log.info('An account was deleted');
    return { status: 200, body: { ok: true, deleted: true } };
  });

  const exportMyData = defineRoute({
    method: 'GET',
    path: '/exportMyData',
    throttle: RARE,
    auth: 'cognito',
    domain: 'account',
    summary: 'Downloads all data about the user',
    description:
      'Profile, state, devices, usage, billing, phones and hubs with what they shared, as stored, plus the entry in the ' +
      'user pool. A stream with `complete: false` has more events than fit: `/relay/streams/{stream}/events` has them by ' +
      'pages. Of a device with `complete: false` the newest telemetry is here; `/telemetry/devices/{serial}/series` has the ' +
      'rest. Payments are stored at Stripe; the billing portal has the invoices.',
    rateLimit: { requests: 10, windowSeconds: 600 },
    responses: { 200: AccountExport },
    errors: [],
  }).handledBy(async ({ caller }, { now, log }) => {
    const body = await exportAccount(caller.uid, now, {
      directoryEntry: () => directoryEntryOf(services, caller, log),
      profile: (uid) => store.readProfile(uid),
      lastActiveOn: (uid) => store.readActivity(uid),
      state: (uid) => readUserState(store, services, uid),
      deviceRecords: deviceRecordsOf(services),
      usage: (uid) => store.readUsage(uid),
      billing: subscriptions.readBilling,
      relay: relay.read,
      telemetry: telemetry.read,
      commands: commands.read,
      notifications: notifications.read,
    });
    const headers = { 'Content-Disposition': 'attachment; filename="autowatering-export.json"' };
    return { status: 200, body, headers };
  });

  return [deleteMyAccount, exportMyData];
}
