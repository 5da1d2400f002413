import * as z from 'zod';
import type { FleetDevices } from '../../fleet/index.ts';
import { defineRoute, type Route } from '../../http/define-route.ts';
import { pageCursor, pageLimit } from '../../http/fields.ts';
import { decodeCursor, encodeCursor } from '../../platform/cursor.ts';
import { ownDevice } from '../own-device.ts';
import type { Run } from '../run.ts';
import type { TelemetryStore } from '../store/telemetry-store.ts';
import { readRuns } from './read-runs.ts';
import {
  ChannelParam,
  DeviceParams,
  Milliseconds,
  MOST_DAYS_OF_ROWS,
  refused,
  StretchFields,
  stretchOf,
} from './reading-fields.ts';

const DEFAULT_PAGE = 50;

const ShownRun = z.object({
  run_id: z.string(),
  channel: z.number(),
  started_at: Milliseconds,
  ended_at: Milliseconds.nullable(),
  is_clock_lost: z.boolean(),
  trigger: z.enum(['manual', 'schedule', 'remote', 'unknown']),
  target: z.object({ unit: z.enum(['minutes', 'litres']), value: z.number() }).nullable(),
  outcome: z.enum(['completed', 'stopped', 'skipped', 'interrupted', 'outcome_unknown']),
  skip_reason: z.enum(['rain', 'freeze', 'other']).nullable(),
  volume: z.object({
    basis: z.enum(['measured', 'estimated', 'unknown']),
    millilitres: z.number().nullable(),
    is_minimum: z.boolean(),
  }),
  rests_on: z.array(z.enum(['start_row', 'stop_row', 'skip_row', 'watched', 'reboot'])),
});

/** A device's runs, page by page. */
export function runsRoute(fleet: Pick<FleetDevices, 'find'>, store: Pick<TelemetryStore, 'evidence'>): Route {
  return defineRoute({
    method: 'GET',
    path: '/telemetry/devices/{serial}/runs',
    auth: 'cognito',
    openToPeers: true,
    domain: 'telemetry',
    summary: "Lists a device's watering runs, the newest first",
    description:
      'Those that began between `from` and `to` (by default the 30 days until now, at most ' +
      `${MOST_DAYS_OF_ROWS}), at most \`limit\` (1–100, default ${DEFAULT_PAGE}) per page; \`next_cursor\` leads to the rest. ` +
      'A run is put together from what the device and the phones told, `rests_on`; what comes later may change it. A run ' +
      'that ends by itself leaves no row: unless somebody watched it, its outcome is `outcome_unknown`, and nothing is ' +
      'called `completed` that nobody saw. `volume` is `measured` by the flow meter while somebody watched (`is_minimum`: ' +
      'more may have flowed unseen), or `estimated` by the device’s whole litres, or by the usual flow of the zone in that ' +
      'month, or `unknown`. With `is_clock_lost`, `started_at` is when the row was received.',
    params: DeviceParams,
    query: z.object({ ...StretchFields, channel: ChannelParam, limit: pageLimit, cursor: pageCursor }),
    responses: {
      200: z.object({
        ok: z.literal(true),
        from: Milliseconds,
        to: Milliseconds,
        runs: z.array(ShownRun),
        next_cursor: z.string().optional(),
      }),
    },
    errors: ['device_not_found'],
  }).handledBy(async ({ caller: { uid }, params, query }, { now }) => {
    const stretch = stretchOf(query, now, MOST_DAYS_OF_ROWS);
    const after = query.cursor === undefined ? undefined : placeIn(query.cursor);
    const { hwId } = await ownDevice(fleet, uid, params.serial);
    const to = after === undefined ? stretch.to : Math.min(stretch.to, after.startedAt + 1);
    const found = (await readRuns(store, { uid, hwId }, { from: stretch.from, to }))
      .filter((run) => query.channel === undefined || run.channel === query.channel)
      .sort(newestFirst)
      .filter((run) => after === undefined || newestFirst(after, run) < 0);
    const page = found.slice(0, query.limit ?? DEFAULT_PAGE);
    const last = page.at(-1);
    return {
      status: 200,
      body: {
        ok: true,
        ...stretch,
        runs: page.map(shown),
        ...(last === undefined || page.length === found.length ? {} : { next_cursor: cursorAfter(last) }),
      },
    };
  });
}

type Place = Pick<Run, 'startedAt' | 'runId'>;

function newestFirst(one: Place, other: Place): number {
  if (one.startedAt !== other.startedAt) return other.startedAt - one.startedAt;
  if (one.runId === other.runId) return 0;
  return one.runId < other.runId ? 1 : -1;
}

function cursorAfter({ startedAt, runId }: Place): string {
  return encodeCursor(`${startedAt} ${runId}`);
}

const PLACE = /^(?<startedAt>\d{1,15}) (?<runId>[a-z0-9-]{1,60})$/;

function placeIn(cursor: string): Place {
  const { startedAt, runId } = PLACE.exec(decodeCursor(cursor) ?? '')?.groups ?? {};
  if (startedAt === undefined || runId === undefined) throw refused('cursor', 'a cursor from an earlier answer');
  return { startedAt: Number(startedAt), runId };
}

function shown(run: Run): z.input<typeof ShownRun> {
  const { volume } = run;
  return {
    ...{ run_id: run.runId, channel: run.channel, started_at: run.startedAt, ended_at: run.endedAt },
    ...{ is_clock_lost: run.isClockLost, trigger: run.trigger, target: run.target, outcome: run.outcome },
    skip_reason: run.skipReason,
    volume: {
      basis: volume.basis,
      millilitres: volume.basis === 'unknown' ? null : volume.millilitres,
      is_minimum: volume.basis === 'measured' && volume.isMinimum,
    },
    rests_on: [...run.restsOn],
  };
}
