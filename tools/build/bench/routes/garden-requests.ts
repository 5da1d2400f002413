import { EnvironmentHourly, HistoryDetailedEntry, RainHourly } from '@autowatering/device-data';
import type { World } from './bench-world.ts';
import type { MakeRoute, RouteRequests } from './route-requests.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const HOURS_OF_A_DAY = 24;

/** Requests to the routes for what devices tell. */
export function gardenRequests(route: MakeRoute, { people, owned }: World): readonly RouteRequests[] {
  const by = (index: number) => {
    const person = people[index % owned.length];
    if (person === undefined) throw new Error('the benchmark prepared too few people');
    return person;
  };
  const serial = (index: number) => owned[index % owned.length]?.serial ?? '';
  return [
    route('GET /telemetry/settings', (index) => ({ by: by(index) })),
    route('POST /telemetry/settings', (index) => ({ by: by(index), body: { time_zone: 'Europe/Bucharest' } }), {
      limit: 30 * owned.length,
    }),
    route('POST /telemetry', (index) => ({ by: by(index), body: { serial: serial(index), ...dayOf(index) } })),
  ];
}

/** What a phone uploads after a day: the hours since it was there, and all of a zone's watering rows. */
function dayOf(index: number) {
  const now = Date.now();
  const day = now - (now % DAY_MS) - DAY_MS * (index % 300);
  const hours = Array.from({ length: HOURS_OF_A_DAY }, (_, hour) => day + hour * HOUR_MS);
  const seconds = (ms: number) => Math.floor(ms / 1_000);
  const rain = hours.map((at) => RainHourly.write({ hour_epoch: seconds(at), mm_x100: 0, pulses: 0, quality: 100 }));
  const weather = hours.map((at, hour) => {
    const celsius = 1_500 + Math.round(800 * Math.sin(hour / 4)) + (index % 7);
    return EnvironmentHourly.write({
      ...{ epoch: seconds(at), t_avg_x100: celsius, t_min_x100: celsius, t_max_x100: celsius },
      ...{ h_avg_x100: 5_000 + hour * 17, p_avg_pa: 101_000 + hour * 13 },
    });
  });
  const runs = [6, 7, 20, 21].map((hour, channel) =>
    HistoryDetailedEntry.write({
      ...{ epoch: seconds(day + hour * HOUR_MS), channel_id: channel, event: 1, mode: 1, target: 10, actual: 0 },
      ...{ actual_copy: 0, trigger: 1, success: 0, error: 0, avg_flow_ml_s: 0, zero: new Uint8Array(6) },
    }),
  );
  const rows = (list: readonly Uint8Array[]) => Buffer.concat(list).toString('base64');
  return {
    sent_at: now,
    reads: [
      { kind: 'rain_hourly', read_at: now, rows: rows(rain) },
      { kind: 'environment_hourly', read_at: now, rows: rows(weather) },
      ...runs.map((run, channel) => ({ kind: 'watering', channel, read_at: now, rows: rows([run]) })),
    ],
  };
}
