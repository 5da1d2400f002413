import * as z from 'zod';
import type { FleetDevices } from '../../fleet/index.ts';
import { defineRoute, type Route } from '../../http/define-route.ts';
import { ownDevice } from '../own-device.ts';
import { dayOfNumber } from '../rollups/local-day.ts';
import { knownLitres } from '../rollups/totals.ts';
import type { TelemetryStore } from '../store/telemetry-store.ts';
import { readDeviceDays } from './device-days.ts';
import { readDays, wholeDays } from './read-days.ts';
import { DeviceParams, MOST_DAYS, StretchFields, stretchOf } from './reading-fields.ts';
import { type RainSummary, type Summary, summarize, type WaterSummary } from './summary.ts';

const ShownWater = z.object({
  runs: z.number(),
  completed: z.number(),
  stopped: z.number(),
  interrupted: z.number(),
  outcome_unknown: z.number(),
  skipped: z.object({ rain: z.number(), freeze: z.number(), other: z.number() }),
  success_share: z.number().nullable(),
  litres: z.number().nullable(),
  measured_litres: z.number(),
  estimated_litres: z.number(),
  runs_without_volume: z.number(),
  mean_litres: z.number().nullable(),
  minutes: z.number(),
});
const ShownExtremes = z.object({ min: z.number(), average: z.number(), max: z.number() }).nullable();
const ShownRain = z.object({
  millimetres: z.number(),
  mean_per_day: z.number(),
  most_in_an_hour: z.number(),
  rainy_days: z.number(),
  dry_days: z.number(),
  longest_dry_spell: z.number(),
});
const Day = z.string().meta({ description: 'A day of the owner’s', examples: ['2026-06-01'] });
const ShownSummary = z.object({
  ok: z.literal(true),
  first_day: Day,
  last_day: Day,
  water: ShownWater,
  channels: z.array(ShownWater.extend({ channel: z.number() })),
  busiest_channel: z.number().nullable(),
  busiest_hour: z.number().nullable(),
  rain: ShownRain.nullable(),
  temperature: ShownExtremes,
  humidity: ShownExtremes,
});

/** What an app shows of a device at a glance. */
export function summaryRoute(
  fleet: Pick<FleetDevices, 'find'>,
  store: Pick<TelemetryStore, 'rollUps' | 'measurements' | 'zones'>,
): Route {
  return defineRoute({
    method: 'GET',
    path: '/telemetry/devices/{serial}/summary',
    auth: 'cognito',
    openToPeers: true,
    domain: 'telemetry',
    summary: 'Sums up what a device watered and measured',
    description:
      `Over the owner’s days from \`from\` to \`to\` (by default the 30 days until now, at most ${MOST_DAYS}). ` +
      '`success_share` is of the runs whose end is known, `litres` and `mean_litres` of those whose litres are known; they are ' +
      'null where nothing is. `busiest_hour` is of the owner’s clock, and of the whole months. Rain, temperature and humidity ' +
      'are those of the device’s own days, and of the hours since the last that is over; a day of which nothing is known ends a ' +
      'dry spell. `busiest_channel` is the one with the most runs.',
    params: DeviceParams,
    query: z.object(StretchFields),
    responses: { 200: ShownSummary },
    errors: ['device_not_found'],
  }).handledBy(async ({ caller: { uid }, params, query }, { now }) => {
    const stretch = stretchOf(query, now, MOST_DAYS);
    const [{ hwId }, zones] = await Promise.all([ownDevice(fleet, uid, params.serial), store.zones(uid)]);
    const days = wholeDays(zones, stretch, 'day');
    const [rolledUp, rain, environment] = await Promise.all([
      readDays(store, { uid, hwId }, zones, days),
      readDeviceDays(store, { uid, hwId }, 'rain', days),
      readDeviceDays(store, { uid, hwId }, 'environment', days),
    ]);
    const summary = summarize(rolledUp.days, rolledUp.startsByHour, [...rain, ...environment]);
    const [first, last] = [dayOfNumber(days.first), dayOfNumber(days.last)];
    return { status: 200, body: { ok: true, first_day: first, last_day: last, ...shown(summary) } };
  });
}

function shown(summary: Summary): Omit<z.input<typeof ShownSummary>, 'ok' | 'first_day' | 'last_day'> {
  return {
    water: shownWater(summary.water),
    channels: summary.channels.map((of) => ({ channel: of.channel, ...shownWater(of) })),
    ...{ busiest_channel: summary.busiestChannel, busiest_hour: summary.busiestHour },
    rain: summary.rain === null ? null : shownRain(summary.rain),
    ...{ temperature: summary.temperature, humidity: summary.humidity },
  };
}

function shownWater({ totals, runs, successShare, meanMl }: WaterSummary): z.input<typeof ShownWater> {
  return {
    ...{ runs, completed: totals.completed, stopped: totals.stopped, interrupted: totals.interrupted },
    outcome_unknown: totals.outcomeUnknown,
    skipped: { rain: totals.skippedForRain, freeze: totals.skippedForFreeze, other: totals.skippedForOther },
    success_share: successShare === null ? null : Math.round(successShare * 1000) / 1000,
    litres: knownLitres(totals),
    ...{ measured_litres: totals.measuredMl / 1000, estimated_litres: totals.estimatedMl / 1000 },
    ...{ runs_without_volume: totals.withoutVolume, mean_litres: meanMl === null ? null : meanMl / 1000 },
    minutes: totals.minutes,
  };
}

function shownRain(rain: RainSummary): z.input<typeof ShownRain> {
  return {
    ...{ millimetres: rain.millimetres, mean_per_day: rain.meanPerDay, most_in_an_hour: rain.mostInAnHour },
    ...{ rainy_days: rain.rainyDays, dry_days: rain.dryDays, longest_dry_spell: rain.longestDrySpell },
  };
}
