import { startRun } from '@autowatering/device-data';
import {
  BleLink,
  Garden,
  GardenSync,
  gardenOverLink,
  memorySyncMemory,
  type RunWatch,
  SimulatedDevice,
  telemetryClient,
  VirtualTime,
} from '@autowatering/firmware-sim';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Backend, startBackend } from '../../support/backend.ts';
import { DEV_KEY, firmware, GOOD } from '../../support/firmware.ts';
import { newGarden } from '../../support/gardens.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

let backend: Backend;
beforeAll(async () => {
  backend = await startBackend();
});
afterAll(() => backend.stop());

/** A device that has been in its garden for that many days until the backend's now, and phones of its owner. */
async function wateredGarden(days: number) {
  const owner = await newGarden(backend);
  const startsAt = backend.clock.now() - days * DAY;
  const garden = new Garden({
    // Warm all year: the backend's now may be a frosty winter day, on which the device refuses to water.
    latitude: 10,
    ...{ startsAt, seed: 5, zones: [{ schedule: { hour: 5, minute: 0, amount: { minutes: 10 } } }] },
  });
  const time = new VirtualTime();
  const device = new SimulatedDevice({ firmware: firmware(GOOD['1.0.0']), keys: [DEV_KEY], time, garden });
  const link = new BleLink(device, { mtu: 247, time });
  const now = () => startsAt + time.now();
  const client = telemetryClient({
    apiBaseUrl: backend.url,
    idToken: owner.headers.Authorization.slice('Bearer '.length),
  });
  await time.advance(days * DAY);
  return {
    ...{ owner, garden, time },
    phone(name: string) {
      const sync = new GardenSync({ memory: memorySyncMemory(), now, name, timeZone: 'Europe/Bucharest' });
      return {
        async visit(stay?: (watch: RunWatch, wait: (ms: number) => Promise<void>) => Promise<void>) {
          return time.run(async () => {
            const transport = await link.connect();
            const reach = gardenOverLink(transport, time, now);
            if (reach === undefined) throw new Error('the device has no garden');
            const visited = await sync.visit({
              ...{ serial: owner.serial, reach },
              async stay(watch) {
                if (stay === undefined) return;
                const { characteristic, bytes } = startRun(1, { minutes: 3 });
                await reach.gatt.write(characteristic, bytes);
                await stay(watch, (ms) => reach.wait(ms));
              },
            });
            transport.close();
            backend.clock.forward(Math.max(0, now() - backend.clock.now()));
            const sent = await time.outside(() => sync.send(client));
            return { ...visited, sent };
          });
        },
      };
    },
  };
}

describe('a phone beside a device as it is sold', () => {
  it('brings everything once, and the next day only what is new; a second phone’s copy adds nothing', async () => {
    const { phone, time } = await wateredGarden(40);
    const mine = phone('mine');
    const first = await mine.visit();
    expect(first).toMatchObject({ isCut: false, failures: [], sent: { trouble: undefined, known: 0, refused: 0 } });
    const counted = new Map(first.gathered.reads.map(({ kind, rows }) => [kind, rows.byteLength]));
    // The newest thirty events of the zone that is watered, the hours of a month, the days since it was set up.
    expect([counted.get('watering'), counted.get('rain_hourly'), counted.get('environment_hourly')]).toEqual([
      ...[30 * 24, 720 * 8, 720 * 16],
    ]);
    expect(Math.abs((counted.get('rain_daily') ?? 0) / 12 - 40)).toBeLessThanOrEqual(1);
    expect(Math.abs((counted.get('environment_daily') ?? 0) / 22 - 40)).toBeLessThanOrEqual(1);

    const again = await phone('partner').visit();
    expect(again.sent.stored).toBeLessThan(40);
    expect(again.sent.known).toBeGreaterThan(1_500);

    await time.advance(DAY);
    const next = await mine.visit();
    expect(next).toMatchObject({ failures: [], sent: { trouble: undefined, refused: 0 } });
    expect(next.gathered.reads.reduce((sum, read) => sum + read.rows.byteLength, 0)).toBeLessThan(900);
  });

  it('measures the run that it watches to its end, and says that it saw only a part of one that it leaves', async () => {
    const { phone, garden } = await wateredGarden(2);
    const mine = phone('mine');
    const whole = await mine.visit(async (watch, wait) => {
      do await wait(1_000);
      while (watch.isRunning);
    });
    const truth = garden.truth.runs.at(-1);
    expect(whole.gathered.sessions).toMatchObject([{ channel: 1, sawStart: true, ended: 'completed' }]);
    const measured = whole.gathered.sessions[0]?.millilitres ?? 0;
    expect(Math.abs(measured / (truth?.millilitres ?? 0) - 1)).toBeLessThan(0.02);

    const part = await mine.visit(async (_, wait) => wait(20_000));
    expect(part.gathered.sessions).toMatchObject([{ channel: 1, sawStart: true, ended: 'lost_sight' }]);
    expect(part.sent).toMatchObject({ trouble: undefined, refused: 0 });
  });
});
