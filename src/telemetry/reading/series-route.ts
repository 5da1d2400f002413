import * as z from 'zod';
import type { FleetDevices } from '../../fleet/index.ts';
import { defineRoute, type Route } from '../../http/define-route.ts';
import { ownDevice } from '../own-device.ts';
import { zoneAt } from '../rollups/local-day.ts';
import type { TelemetryStore } from '../store/telemetry-store.ts';
import { RESOLUTIONS } from './periods.ts';
import type { Point } from './point.ts';
import {
  ChannelParam,
  DeviceParams,
  Milliseconds,
  MOST_DAYS,
  MOST_DAYS_OF_ROWS,
  refused,
  StretchFields,
  stretchOf,
} from './reading-fields.ts';
import { MEASURES, MOST_POINTS, readSeries, UNITS, WATER_MEASURES } from './series.ts';

const ShownPoint = z.object({
  at: Milliseconds,
  until: Milliseconds,
  period: z.string().nullable(),
  value: z.number().nullable(),
  min: z.number().nullable(),
  max: z.number().nullable(),
  basis: z.enum(['measured', 'estimated', 'unknown']),
  measured_litres: z.number().optional(),
  estimated_litres: z.number().optional(),
  runs_without_volume: z.number().optional(),
});

/** A measure over time. */
export function seriesRoute(
  fleet: Pick<FleetDevices, 'find'>,
  store: Pick<TelemetryStore, 'evidence' | 'rollUps' | 'measurements' | 'zones'>,
): Route {
  return defineRoute({
    method: 'GET',
    path: '/telemetry/devices/{serial}/series',
    auth: 'cognito',
    openToPeers: true,
    domain: 'telemetry',
    summary: 'Reads what a device measured, and what it watered, over time',
    description:
      `\`measure\` from \`from\` to \`to\` (by default the 30 days until now; at most ${MOST_DAYS_OF_ROWS} days by hour and ` +
      `for \`flow\`, ${MOST_DAYS} otherwise) by \`resolution\`, \`day\` by default. Days, months and years are the owner’s, in ` +
      'the time zone that held at the time, and whole: all that the time touches. A day may have 23 or 25 hours. Times of ' +
      `which nothing is known have no point. At most ${MOST_POINTS} points: of more (\`points_in_all\`), the lowest and the ` +
      'highest of equal stretches are kept, so sums are then no longer those of the time. `basis` is the weakest of all that ' +
      'a point sums up. Rain and weather are `estimated` where hours or days are missing, and where the device’s own day ' +
      'stands for the owner’s; months and years are made of the device’s days, which begin some hours apart. With `unknown`, ' +
      'some runs’ litres are not known (`runs_without_volume`), and `value` is what is known, null if nothing is. `litres` count ' +
      'where a run began. `flow` is of runs that were watched from start to end. `channel` is for `litres` and `flow`.',
    params: DeviceParams,
    query: z.object({
      ...StretchFields,
      measure: z.enum(MEASURES),
      resolution: z.enum(RESOLUTIONS).default('day'),
      channel: ChannelParam,
    }),
    responses: {
      200: z.object({
        ok: z.literal(true),
        measure: z.enum(MEASURES),
        unit: z.string(),
        resolution: z.enum(RESOLUTIONS),
        from: Milliseconds,
        to: Milliseconds,
        time_zone: z.string(),
        points_in_all: z.number(),
        points: z.array(ShownPoint),
      }),
    },
    errors: ['device_not_found'],
  }).handledBy(async ({ caller: { uid }, params, query }, { now }) => {
    const { measure, resolution, channel } = query;
    const isFromRows = resolution === 'hour' || measure === 'flow';
    const stretch = stretchOf(query, now, isFromRows ? MOST_DAYS_OF_ROWS : MOST_DAYS);
    if (channel !== undefined && !WATER_MEASURES.some((water) => water === measure)) {
      throw refused('channel', 'only with litres and flow');
    }
    const [{ hwId }, zones] = await Promise.all([ownDevice(fleet, uid, params.serial), store.zones(uid)]);
    const request = { garden: { uid, hwId }, measure, resolution, stretch, zones, channel };
    const { points, pointsInAll } = await readSeries(store, request);
    return {
      status: 200,
      body: {
        ok: true,
        ...{ measure, unit: UNITS[measure], resolution, ...stretch, time_zone: zoneAt(zones, stretch.to) },
        ...{ points_in_all: pointsInAll, points: points.map(shown) },
      },
    };
  });
}

function shown({ litres, ...point }: Point): z.input<typeof ShownPoint> {
  if (litres === null) return point;
  const { measured, estimated, runsWithoutVolume } = litres;
  return {
    ...point,
    ...{ measured_litres: measured, estimated_litres: estimated, runs_without_volume: runsWithoutVolume },
  };
}
