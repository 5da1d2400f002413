import * as z from 'zod';
import type { User } from '../http/caller.ts';
import { defineRoute, type Route } from '../http/define-route.ts';
import { isoDateTime } from '../http/fields.ts';
import { isoTime } from '../platform/clock.ts';
import type { Log } from '../platform/observability/log.ts';
import type { Services } from '../platform/services.ts';
import { takeBackIfDeleted } from './deleted-meanwhile.ts';
import { directoryEntryOf } from './directory-entry.ts';
import { mirroredAttributes, Profile, ProfileChange, profilePatch } from './profile.ts';
import type { AccountStore } from './store.ts';

const PER_MINUTE = { requests: 120, windowSeconds: 60 } as const;

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

/** Reads and changes the user's profile. */
export function profileRoutes(store: AccountStore, services: Services): readonly Route[] {
  const { clock, metrics, userDirectory } = services;

  /** The user as the app shows them: the profile first, then the user pool's data. */
  const shownUser = async (caller: User, stored: Promise<Profile>, log: Log) => {
    const [profile, entry] = await Promise.all([stored, directoryEntryOf(services, caller, log)]);
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
    await takeBackIfDeleted(store, caller.uid, clock.now(), () => store.removeRecord(caller.uid, 'profile'));
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

  return [getProfile, updateProfile];
}
