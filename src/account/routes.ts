import * as z from 'zod';
import { commandAccounts } from '../commands/index.ts';
import { deviceRecordsOf, releaseDevicesOf } from '../fleet/index.ts';
import { storableDocument } from '../http/body/storable-json.ts';
import type { User } from '../http/caller.ts';
import { defineRoute, type Route } from '../http/define-route.ts';
import { ApiError } from '../http/errors.ts';
import { isoDateTime, textLine } from '../http/fields.ts';
import { notificationAccounts } from '../notifications/index.ts';
import type { DirectoryUser } from '../platform/aws/user-directory.ts';
import { isoTime } from '../platform/clock.ts';
import type { Uid } from '../platform/ids.ts';
import type { Log } from '../platform/observability/log.ts';
import { withTimeLimit } from '../platform/resilience/time-limit.ts';
import type { Services } from '../platform/services.ts';
import { relayAccounts } from '../relay/index.ts';
import { type Subscriptions, whileStripeAnswers } from '../subscriptions/index.ts';
import { telemetryAccounts } from '../telemetry/index.ts';
import { deleteAccount, isRecentLogin } from './deletion.ts';
import { AccountExport, exportAccount } from './export.ts';
import { mirroredAttributes, Profile, ProfileChange, profilePatch } from './profile.ts';
import { LARGEST_STATE_BYTES } from './state.ts';
import { createAccountStore } from './store.ts';
import { readUserState, saveUserState, stateObjectPrefix } from './user-state.ts';

const DIRECTORY_MS = 2_000;
/** A 512 KiB state may arrive with every character escaped. */
const STATE_BODY_BYTES = 2 * LARGEST_STATE_BYTES;
const PER_MINUTE = { requests: 120, windowSeconds: 60 } as const;
/** For routes that are called about once in an account's life and make a dozen calls each. */
const RARE = { requestsPerSecond: 5, burst: 10 } as const;

const ShownUser = z.object({
  uid: z.string(),
  email: z.string().nullable(),
  emailVerified: z.boolean(),
  displayName: z.string().nullable(),
  photoURL: z.string().nullable(),
  createdAt: isoDateTime.nullable(),
  lastSignInAt: isoDateTime.nullable(),
  profile: Profile,
  updatedAt: isoDateTime.nullable(),
});

/** Routes for the app's data about its user: a profile and one opaque state document. */
export function accountRoutes(services: Services, subscriptions: Subscriptions): readonly Route[] {
  const store = createAccountStore(services);
  const relay = relayAccounts(services);
  const telemetry = telemetryAccounts(services);
  const commands = commandAccounts(services);
  const notifications = notificationAccounts(services);
  const { clock, metrics, objectStore, userDirectory } = services;

  /** Returns the user pool's entry, or the token's claims when the pool does not answer in time. */
  const directoryEntry = async (user: User, log: Log): Promise<DirectoryUser> => {
    try {
      const entry = await withTimeLimit(DIRECTORY_MS, (signal) => userDirectory.find(user.username, signal));
      if (entry !== undefined) return entry;
    } catch (error) {
      metrics.count('UserDirectoryUnavailable');
      log.warn('The user pool did not answer; using the claims of the token', {}, error);
    }
    const { email = null, emailVerified = false } = user;
    return { email, emailVerified, name: null, picture: null, createdAt: null };
  };

  /** The user as the app shows them: the profile first, then the user pool's data. */
  const shownUser = async (caller: User, stored: Promise<Profile>, log: Log) => {
    const [profile, entry] = await Promise.all([stored, directoryEntry(caller, log)]);
    return {
      uid: caller.uid,
      email: entry.email,
      emailVerified: entry.emailVerified,
      displayName: profile.displayName ?? entry.name,
      photoURL: profile.photoURL ?? entry.picture,
      createdAt: entry.createdAt === null ? null : isoTime(entry.createdAt),
      lastSignInAt: caller.authTime === undefined ? null : isoTime(caller.authTime * 1000),
      profile,
      updatedAt: profile.updatedAt ?? null,
    };
  };

  /** Undoes a write that raced the account's deletion, so that nothing is left behind. */
  const takeBackIfDeleted = async (uid: Uid, takeBack: () => Promise<void>): Promise<void> => {
    if ((await store.readDeletion(uid, clock.now())) === 'none') return;
    await takeBack();
    throw new ApiError('account_deleted', 'This account has been deleted.');
  };

  const getProfile = defineRoute({
    method: 'GET',
    path: '/getProfile',
    auth: 'cognito',
    domain: 'account',
    summary: 'The signed-in user and their profile',
    description: 'Read-only. Times are RFC 3339; `createdAt` is null when the user pool does not answer.',
    responses: {
      200: ShownUser,
    },
    errors: [],
  }).handledBy(async ({ caller }, { log }) => {
    const stored = store.readProfile(caller.uid).then((profile) => profile ?? {});
    return { status: 200, body: await shownUser(caller, stored, log) };
  });

  const updateProfile = defineRoute({
    method: 'POST',
    path: '/updateProfile',
    auth: 'cognito',
    idempotent: true,
    domain: 'account',
    summary: 'Changes profile fields',
    description:
      'Only the fields sent change. An empty string clears a field; unknown fields are rejected. Answers like ' +
      '`/getProfile`. ' +
      '`displayName` and `photoURL` are mirrored to the user pool as `name` and `picture`.',
    rateLimit: PER_MINUTE,
    body: z.strictObject({ profile: ProfileChange }),
    responses: { 200: ShownUser.extend({ ok: z.literal(true), updatedAt: isoDateTime }) },
    errors: [],
  }).handledBy(async ({ caller, body }, { now, log }) => {
    const profile = await store.writeProfile(caller.uid, profilePatch(body.profile), now);
    await takeBackIfDeleted(caller.uid, () => store.removeRecord(caller.uid, 'profile'));
    const mirrored = mirroredAttributes(body.profile);
    if (Object.keys(mirrored).length > 0) {
      try {
        await userDirectory.setAttributes(caller.username, mirrored);
      } catch (error) {
        // The profile is the source of truth and is saved; the mirror catches up with the next change.
        metrics.count('ProfileMirrorFailed');
        log.warn('Could not mirror the profile to the user pool', { uid: caller.uid }, error);
      }
    }
    const user = await shownUser(caller, Promise.resolve(profile), log);
    return { status: 200, body: { ok: true, ...user, updatedAt: user.updatedAt ?? isoTime(now) } };
  });

  const getUserState = defineRoute({
    method: 'GET',
    path: '/getUserState',
    auth: 'cognito',
    domain: 'account',
    summary: "The app's saved state",
    description: '`state` is null and `docVersion` 0 for a user who never saved one.',
    responses: {
      200: z.object({
        uid: z.string(),
        state: z.record(z.string(), z.unknown()).nullable(),
        updatedAt: isoDateTime.nullable(),
        version: z.string().nullable(),
        docVersion: z.number(),
      }),
    },
    errors: [],
  }).handledBy(async ({ caller }) => {
    const found = await readUserState(store, services, caller.uid);
    const nothing = { state: null, updatedAt: null, version: null, docVersion: 0 };
    return { status: 200, body: { uid: caller.uid, ...(found ?? nothing) } };
  });

  const save = defineRoute({
    method: 'POST',
    path: '/saveUserState',
    auth: 'cognito',
    domain: 'account',
    summary: "Saves the app's state",
    description:
      'Replaces the whole document, at most 512 KiB of JSON. With `baseDocVersion` (the `docVersion` last read, or ' +
      '0), a save that would overwrite a newer state is rejected: 409 `optimistic_lock_failed`, with the newer state ' +
      'in `details.current`.',
    rateLimit: PER_MINUTE,
    bodyLimit: STATE_BODY_BYTES,
    body: z.strictObject({
      state: storableDocument,
      version: textLine(64).optional(),
      baseDocVersion: z.int().min(0).optional(),
    }),
    responses: {
      200: z.object({
        ok: z.literal(true),
        bytes: z.number(),
        version: z.string().nullable(),
        updatedAt: isoDateTime,
        docVersion: z.number(),
      }),
    },
    errors: ['optimistic_lock_failed'],
  }).handledBy(async ({ caller, body }, { now }) => {
    const { state, version, baseDocVersion } = body;
    const outcome = await saveUserState(store, services, caller.uid, { state, version, baseDocVersion }, now);
    if (!outcome.saved && outcome.reason === 'too_large') {
      throw new ApiError(
        'payload_too_large',
        'Your data has grown too large to save. Please remove something you no longer need.',
        {
          details: { bytes: outcome.bytes, limit: outcome.limit },
        },
      );
    }
    if (!outcome.saved) {
      throw new ApiError(
        'optimistic_lock_failed',
        'There is newer data from another phone. Please reload, then make your change again.',
        {
          details: { current: outcome.current },
        },
      );
    }
    await takeBackIfDeleted(caller.uid, async () => {
      await store.removeRecord(caller.uid, 'state');
      await objectStore.removeAll(stateObjectPrefix(caller.uid));
    });
    const { bytes, docVersion } = outcome;
    return { status: 200, body: { ok: true, bytes, version: version ?? null, updatedAt: isoTime(now), docVersion } };
  });

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
      directoryEntry: () => directoryEntry(caller, log),
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

  return [getProfile, updateProfile, getUserState, save, deleteMyAccount, exportMyData];
}
