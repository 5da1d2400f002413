import type { World } from './bench-world.ts';
import type { MakeRoute, RouteRequests } from './route-requests.ts';

const YEAR_MS = 365 * 86_400_000;

/** Requests to the routes for what owners read of their gardens: of a year. */
export function readingRequests(route: MakeRoute, { people, owned }: World): readonly RouteRequests[] {
  const read = (what: string, query = '') => {
    const name = `/telemetry/devices/{serial}/${what}`;
    return route(`GET ${name}`, (index) => {
      const [by, device] = [people[index % owned.length], owned[index % owned.length]];
      if (by === undefined || device === undefined) throw new Error('the benchmark prepared too few people');
      const path = name.replace('{serial}', device.serial);
      return { by, path: `${path}?from=${Date.now() - YEAR_MS}${query}` };
    });
  };
  return [read('runs'), read('series', '&measure=litres&channel=1'), read('summary')];
}
