import {
  BleLink,
  type BleLinkOptions,
  type DeviceCommands,
  type DeviceOptions,
  deviceCommands,
  SimulatedDevice,
  SmpClient,
  type UpdateOptions,
  updateDevice,
  VirtualTime,
} from '@autowatering/firmware-sim';
import { DEV_KEY, firmware, GOOD } from './firmware.ts';

export interface BenchOptions {
  readonly device?: Partial<DeviceOptions>;
  readonly link?: Partial<BleLinkOptions>;
}

export type TestBench = ReturnType<typeof testBench>;

/** A device with a phone next to it, in virtual time. */
export function testBench(options: BenchOptions = {}) {
  const time = new VirtualTime();
  const device = new SimulatedDevice({ firmware: firmware(GOOD['1.0.0']), keys: [DEV_KEY], time, ...options.device });
  const link = new BleLink(device, { mtu: 247, time, ...options.link });
  return {
    time,
    device,
    link,
    connect: () => time.run(async () => new SmpClient(await link.connect(), time)),
    /** Connects, sends the request, and returns the answer. */
    ask: <T>(question: (commands: DeviceCommands, client: SmpClient) => Promise<T>) =>
      time.run(async () => {
        const client = new SmpClient(await link.connect(), time);
        try {
          return await question(deviceCommands(client), client);
        } finally {
          client.close();
        }
      }),
    /** An update through the product's client, with a fixture image or any other. */
    update: (image: string | Uint8Array, more: Partial<UpdateOptions> = {}) =>
      time.run(() =>
        updateDevice({
          connect: () => link.connect(),
          image: typeof image === 'string' ? firmware(image) : image,
          time,
          ...more,
        }),
      ),
    /** Presses the reset button and waits a minute. */
    async reset() {
      device.reset();
      await time.advance(60_000);
    },
  };
}
