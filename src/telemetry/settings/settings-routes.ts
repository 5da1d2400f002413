import * as z from 'zod';
import { accountDeleted } from '../../http/checks/authenticate.ts';
import { defineRoute, type Route } from '../../http/define-route.ts';
import { ApiError } from '../../http/errors.ts';
import type { Uid } from '../../platform/ids.ts';
import { spelledTimeZone } from '../../platform/time-zone.ts';
import { TimeZoneField } from '../ingest/upload-fields.ts';
import type { ZoneTimeline } from '../rollups/local-day.ts';
import { MOST_ZONES, type SettingsStore } from './settings-store.ts';

const Settings = z.object({
  ok: z.literal(true),
  time_zone: z.string().nullable(),
  time_zones: z
    .array(z.object({ since_at: z.number(), time_zone: z.string() }))
    .meta({ description: 'The oldest first; the first one also holds for everything before it' }),
});

/** The time zone that the owner's days and months are in. */
export function settingsRoutes(
  settings: SettingsStore,
  isAccountDeleted: (uid: Uid) => Promise<boolean>,
): readonly Route[] {
  const read = defineRoute({
    method: 'GET',
    path: '/telemetry/settings',
    auth: 'cognito',
    openToPeers: true,
    domain: 'telemetry',
    summary: 'Reads the time zones that the owner’s days and months are in',
    description: 'Null and none while nobody has said one: days are those of UTC then.',
    responses: { 200: Settings },
    errors: [],
  }).handledBy(async ({ caller: { uid } }) => ({ status: 200, body: answer(await settings.zones(uid)) }));

  const change = defineRoute({
    method: 'POST',
    path: '/telemetry/settings',
    auth: 'cognito',
    idempotent: true,
    domain: 'telemetry',
    summary: 'Sets the time zone that the owner’s days and months are in from now on',
    description:
      'What was before stays in the days it was counted in. The first zone also holds for the past if no device has told ' +
      'anything yet. A name of the IANA database, such as `Europe/Bucharest`.',
    rateLimit: { requests: 30, windowSeconds: 3600 },
    body: z.strictObject({ time_zone: TimeZoneField }),
    responses: { 200: Settings },
    errors: ['limit_reached'],
  }).handledBy(async ({ caller: { uid }, body }, { now }) => {
    const zones = await settings.setZone(uid, spelledTimeZone(body.time_zone), now);
    if (zones === undefined) {
      throw new ApiError('limit_reached', 'The time zone was changed too often. Please write to our support.', {
        details: { limit: MOST_ZONES },
      });
    }
    // A deletion that began meanwhile may have passed by the settings already.
    if (await isAccountDeleted(uid)) {
      await settings.remove(uid);
      throw accountDeleted();
    }
    return { status: 200, body: answer(zones) };
  });

  return [read, change];
}

function answer(zones: ZoneTimeline): z.input<typeof Settings> {
  return {
    ok: true,
    time_zone: zones.at(-1)?.zone ?? null,
    time_zones: zones.map(({ since, zone }) => ({ since_at: since, time_zone: zone })),
  };
}
