import * as z from 'zod';
import { defineRoute, type Route } from '../../http/define-route.ts';
import type { HealthStore, VersionHealth } from './health-store.ts';
import { utcDay } from './upload-weeks.ts';

const DAY_MS = 24 * 60 * 60_000;
const DEFAULT_DAYS = 7;
const MOST_DAYS = 90;

const ShownHealth = z.object({
  board: z.string(),
  version: z.string(),
  device_days: z.number(),
  device_days_with_alarms: z.number(),
  device_days_locked: z.number(),
  alarms: z.number(),
  reboots: z.number(),
  days_unheard: z.number(),
  sync_failures: z.number(),
  alarm_pct: z.number().nullable(),
});

/** How the fleet fares, by what it runs. */
export function fleetHealthRoute(health: Pick<HealthStore, 'since'>): Route {
  return defineRoute({
    method: 'GET',
    path: '/fleet/health',
    auth: 'factory',
    domain: 'telemetry',
    summary: "Counts devices' alarms, locks and restarts by firmware version",
    description:
      'Of the last `days` (1–90, default 7) that are over, in UTC. A device counts on each day on which anything was ' +
      'heard of it (`device_days`), under the version it was last known to run. `alarms` are those of danger and worse ' +
      'that a phone relayed, frost left out; `device_days_locked` those on which everything, or a zone until its reset, ' +
      'was locked; `days_unheard` the days of silence before; `sync_failures` days on which a phone came by and yet no ' +
      'history was read on; `alarm_pct` the device days with alarms of all. Counted once a day, by a job.',
    query: z.object({
      days: z
        .string()
        .regex(/^[1-9]\d?$/, `a whole number from 1 to ${MOST_DAYS}`)
        .transform(Number)
        .refine((days) => days <= MOST_DAYS, `a whole number from 1 to ${MOST_DAYS}`)
        .optional(),
    }),
    responses: {
      200: z.object({ ok: z.literal(true), first_day: z.string(), by_version: z.array(ShownHealth) }),
    },
    errors: [],
  }).handledBy(async ({ query: { days = DEFAULT_DAYS } }, { now }) => {
    const firstDay = utcDay(now - days * DAY_MS);
    const byVersion = await health.since(firstDay);
    return { status: 200, body: { ok: true, first_day: firstDay, by_version: byVersion.map(shown) } };
  });
}

function shown({ board, version, counts }: VersionHealth): z.input<typeof ShownHealth> {
  const { device_days: all, device_days_with_alarms: withAlarms } = counts;
  return { board, version, ...counts, alarm_pct: all === 0 ? null : Math.round((withAlarms / all) * 1000) / 10 };
}
