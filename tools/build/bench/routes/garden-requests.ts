import { deviceHistory } from '../garden/device-history.ts';
import type { World } from './bench-world.ts';
import type { MakeRoute, RouteRequests } from './route-requests.ts';

const DAY_MS = 86_400_000;
/** The rings of days only go back to 2024, when the first rows can be trusted: more hours make up for it. */
const FIRST_DAY = Date.UTC(2024, 0, 1);
const FIRST_HOURS_DAYS = 46;
const FIRST_WEATHER_DAYS = 372;

/** Requests to the routes for what devices tell. */
export function gardenRequests(route: MakeRoute, { people, owned }: World): readonly RouteRequests[] {
  const of = (index: number) => {
    const [person, device] = [people[index % owned.length], owned[index % owned.length]];
    if (person === undefined || device === undefined) throw new Error('the benchmark prepared too few people');
    return { by: person, serial: device.serial };
  };
  const upload = (index: number, reads: ReturnType<typeof daySync>) => {
    const { by, serial } = of(index);
    const body = { serial, sent_at: Date.now(), reads: reads.map(({ count: _count, ...read }) => read) };
    return { by, body };
  };
  return [
    route('GET /telemetry/settings', (index) => ({ by: of(index).by })),
    route(
      'POST /telemetry/settings',
      (index) => ({ by: of(index).by, body: { time_zone: index % 2 === 0 ? 'Europe/Bucharest' : 'Europe/Berlin' } }),
      { limit: owned.length },
    ),
    route('POST /telemetry, first sync', (index) => upload(index, firstSync(index)), { once: owned.length }),
    route('POST /telemetry', (index) => upload(index, daySync(index))),
    // After the uploads, so that there is something to look at.
    route('GET /telemetry/devices/{serial}/insights', (index) => ({
      by: of(index).by,
      path: `/telemetry/devices/${of(index).serial}/insights`,
    })),
  ];
}

/** All that is in a device's rings: 3,900 rows. */
function firstSync(index: number) {
  const now = Date.now();
  const history = deviceHistory(index);
  return [
    ...history.watering(now),
    history.measurements('rain_hourly', now - FIRST_HOURS_DAYS * DAY_MS, now, now),
    history.measurements('environment_hourly', now - FIRST_HOURS_DAYS * DAY_MS, now, now),
    history.measurements('rain_daily', FIRST_DAY, now - DAY_MS, now),
    history.measurements('environment_daily', now - FIRST_WEATHER_DAYS * DAY_MS, now - DAY_MS, now),
  ];
}

/** What a phone uploads of a device that it visits every day: the rows since, and all of the watering rings. */
function daySync(index: number) {
  const now = Date.now();
  const end = now - DAY_MS * (index % 300);
  const history = deviceHistory(index % 60);
  return [
    ...history.watering(now),
    history.measurements('rain_hourly', end - DAY_MS, end, now),
    history.measurements('environment_hourly', end - DAY_MS, end, now),
    history.measurements('rain_daily', end - 2 * DAY_MS, end - DAY_MS, now),
    history.measurements('environment_daily', end - 2 * DAY_MS, end - DAY_MS, now),
  ];
}
