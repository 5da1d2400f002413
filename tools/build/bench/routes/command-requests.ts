import type { World } from './bench-world.ts';
import { OFTEN } from './bench-world.ts';
import type { Made, MakeRoute, RouteRequests } from './route-requests.ts';

const CARRIER = 'phone-of-the-bench';

/** Requests to the routes for telling devices what to do, by their owners' phones, which carry it too. */
export function commandRequests(
  route: MakeRoute,
  { people, owned, commands }: Pick<World, 'people' | 'owned' | 'commands'>,
): readonly RouteRequests[] {
  const of = (index: number) => {
    const at = index % owned.length;
    const [by, device, given] = [people[at], owned[at], commands[at]];
    if (by === undefined || device === undefined || given === undefined) {
      throw new Error('the benchmark prepared too few commands');
    }
    return { by, serial: device.serial, ...given };
  };
  const device = '/devices/{serial}/commands';
  const to = (step: '' | 'lease' | 'report', body?: object) => (index: number) => {
    const { by, serial, toCarry } = of(index);
    return { by, path: `/devices/${serial}/commands/${toCarry}${step && `/${step}`}`, ...(body && { body }) };
  };
  const give = (index: number): Made => {
    const { by, serial } = of(index);
    const body = { command_key: 'bench-{{number}}', intent: { kind: 'water', channel: index % 8, minutes: 1 } };
    return { by, path: `/devices/${serial}/commands`, body };
  };
  const cancel = (index: number): Made => {
    const { by, serial, toCancel } = of(index);
    return { by, path: `/devices/${serial}/commands/${toCancel}/cancel`, body: {} };
  };
  return [
    route(`POST ${device}`, give, { once: 4 * owned.length }),
    route(`GET ${device}`, (index) => ({ by: of(index).by, path: `/devices/${of(index).serial}/commands` })),
    route(`GET ${device}/{command_id}`, to('')),
    route('POST /commands/offers', (index) => ({ by: of(index).by, body: { serials: [of(index).serial] } })),
    route(`POST ${device}/{command_id}/lease`, to('lease', { carrier_id: CARRIER }), { once: owned.length }),
    route(`POST ${device}/{command_id}/report`, to('report', { carrier_id: CARRIER, fence: 1, outcome: 'delivered' }), {
      once: owned.length,
    }),
    route(`POST ${device}/{command_id}/cancel`, cancel, { once: owned.length }),
    route('GET /commands/settings', (index) => ({ by: of(index).by })),
    route('POST /commands/settings', (index) => ({ by: of(index).by, body: { minutes_a_day: 60 + (index % 60) } }), {
      limit: OFTEN,
    }),
  ];
}
