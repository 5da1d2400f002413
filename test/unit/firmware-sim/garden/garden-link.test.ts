import {
  Alarm,
  BulkSnapshot,
  CurrentTask,
  clearAlarms,
  createFragmentReader,
  type DeviceWrite,
  EnvironmentHistoryRequest,
  HistoryFragmentHeader,
  HistoryQuery,
  runCommand,
  startRun,
  ValveControl,
} from '@autowatering/device-data';
import {
  type BleLinkOptions,
  type BleTransport,
  deviceCommands,
  Garden,
  type GardenOptions,
  type GattClient,
  LinkLostError,
  SmpClient,
  sleep,
} from '@autowatering/firmware-sim';
import { describe, expect, it } from 'vitest';
import { DAY, JUNE } from '../../../support/garden.ts';
import { testBench } from '../../../support/test-bench.ts';

/** A device in a garden, with a phone next to it, in virtual time. */
function gardenPhone({ link = {}, ...options }: Partial<GardenOptions> & { link?: Partial<BleLinkOptions> } = {}) {
  const garden = new Garden({ startsAt: JUNE, seed: 1, ...options });
  const bench = testBench({ device: { garden }, link });
  const connected = <T>(work: (gatt: GattClient, transport: BleTransport) => Promise<T>) =>
    bench.time.run(async () => {
      const transport = await bench.link.connect();
      try {
        if (transport.gatt === undefined) throw new Error('no garden');
        return await work(transport.gatt, transport);
      } finally {
        transport.close();
      }
    });
  return { garden, bench, connected };
}

const write = (gatt: GattClient, { characteristic, bytes }: DeviceWrite) => gatt.write(characteristic, bytes);

describe('a garden on the link', () => {
  it('takes what fits into a packet, shows what is longer in parts, and nothing once the link is closed', async () => {
    const { connected, bench } = gardenPhone({ link: { mtu: 23 } });
    await connected(async (gatt, transport) => {
      await expect(gatt.write('deff', new Uint8Array(21))).rejects.toThrow('longer than a packet');
      expect(await gatt.read('de60')).toHaveLength(BulkSnapshot.bytes);
      const heard: Uint8Array[] = [];
      await gatt.subscribe('def1', (bytes) => heard.push(bytes));
      await gatt.unsubscribe('def1');
      await write(gatt, startRun(2, { minutes: 1 }));
      await sleep(bench.time, 5_000);
      expect(heard).toEqual([]);
      transport.close();
      await expect(gatt.read('de60')).rejects.toThrow(LinkLostError);
    });
  });

  it('is watered over BLE beside SMP, on one connection', async () => {
    const { connected, bench, garden } = gardenPhone();
    const heard: string[] = [];
    await connected(async (gatt, transport) => {
      await gatt.subscribe('def1', (bytes) => {
        const { channel_id, task_type } = ValveControl.read(bytes) ?? {};
        heard.push(`${channel_id} ${task_type === 1 ? 'opens' : 'closes'}`);
      });
      await write(gatt, startRun(2, { minutes: 1 }));
      await sleep(bench.time, 30_000);
      expect(CurrentTask.read(await gatt.read('deff'))).toMatchObject({ channel_id: 2, target: 60, current: 28 });
      expect(await deviceCommands(new SmpClient(transport, bench.time)).images()).toHaveLength(1);
      await sleep(bench.time, 60_000);
    });
    expect(heard).toEqual(['255 opens', '2 opens', '2 closes', '255 closes']);
    expect(garden.truth.runs).toMatchObject([{ zone: 2, end: 'completed' }]);
  });

  it.each([23, 65, 247])('pushes history in parts that fit an MTU of %d', async (mtu) => {
    const days = 12;
    const { connected, bench } = gardenPhone({
      ...{ link: { mtu }, zones: [{ schedule: { hour: 6, minute: 0, amount: { minutes: 2 } }, isRainAware: false }] },
    });
    await bench.time.advance(days * DAY);
    const body = await connected(async (gatt) => {
      const reader = createFragmentReader();
      let body: Uint8Array | undefined;
      await gatt.subscribe('defc', (bytes) => {
        expect(bytes.byteLength).toBeLessThanOrEqual(mtu - 3);
        const outcome = reader.add(bytes);
        if (outcome.kind === 'complete') body = outcome.answer.body;
      });
      await gatt.write('defc', new Uint8Array(12).with(3, 50));
      await sleep(bench.time, 2_000);
      return body;
    });
    // The first row of an empty ring is overwritten by the second.
    expect(body?.byteLength).toBe(HistoryQuery.bytes + (days - 1) * 24);
  });

  it('answers pulls of the weather’s history to a read as well, with the latest part', async () => {
    const { connected, bench } = gardenPhone();
    await bench.time.advance(DAY);
    await connected(async (gatt) => {
      const request = { command: 2, start_epoch: 0, end_epoch: 0, data_type: 1, max_records: 24, fragment_id: 1 };
      await gatt.write('de16', EnvironmentHistoryRequest.write({ ...request, reserved: new Uint8Array(8) }));
      const part = await gatt.read('de16');
      expect(HistoryFragmentHeader.read(part.slice(0, 8))).toMatchObject({
        ...{ data_type: 1, status: 0, entry_count: 10, fragment_index: 1, total_fragments: 2, fragment_size: 160 },
      });
    });
  });

  it('refuses by ATT errors, and serves the next request', async () => {
    const { connected } = gardenPhone();
    await connected(async (gatt) => {
      await expect(gatt.write('def1', Uint8Array.of(0, 0, 0xa1, 5))).rejects.toMatchObject({ code: 0x13 });
      await expect(gatt.write('def1', Uint8Array.of(0))).rejects.toMatchObject({ code: 0x0d });
      await expect(write(gatt, runCommand('pause'))).rejects.toMatchObject({ code: 0x03 });
      await write(gatt, clearAlarms());
      expect(Alarm.read(await gatt.read('defa'))?.alarm_code).toBe(0);
    });
  });

  it('wants an encrypted link if it is told to', async () => {
    const { connected, bench } = gardenPhone({ link: { encryption: 'required' } });
    await connected((gatt) => expect(gatt.read('defd')).rejects.toMatchObject({ code: 0x0f }));
    bench.link.pair();
    await connected(async (gatt) => expect(await gatt.read('defd')).toHaveLength(12));
  });

  it('has one connection: subscriptions end with it, and so does what was asked', async () => {
    const { connected, bench, garden } = gardenPhone();
    await connected(async (gatt, transport) => {
      await expect(bench.link.connect()).rejects.toThrow(LinkLostError);
      await gatt.subscribe('defa', () => {});
      const asked = gatt.read('de60');
      transport.close();
      await expect(asked).rejects.toThrow(LinkLostError);
    });
    expect(garden.gatt.isSubscribed('defa')).toBe(false);
    await connected(async (gatt) => expect(await gatt.read('de60')).toHaveLength(60));
  });

  it('restarts with its device, in the middle of a run', async () => {
    const { connected, bench, garden } = gardenPhone();
    await connected(async (gatt) => {
      await write(gatt, startRun(0, { minutes: 60 }));
      await sleep(bench.time, 60_000);
      bench.device.reset();
      await expect(gatt.read('defd')).rejects.toThrow(LinkLostError);
    });
    await bench.time.advance(60_000);
    expect(garden.truth.runs).toMatchObject([{ end: 'power_lost' }]);
    await connected(async (gatt) => expect(CurrentTask.read(await gatt.read('deff'))?.channel_id).toBe(0xff));
  });

  it('takes its device along when it restarts by itself', async () => {
    const { connected, bench } = gardenPhone({
      faults: [{ kind: 'reboots_in_mid_run', from: JUNE, until: JUNE + DAY }],
    });
    await connected(async (gatt) => {
      await write(gatt, startRun(0, { minutes: 60 }));
      await sleep(bench.time, 120_000);
      await expect(gatt.read('defd')).rejects.toThrow(LinkLostError);
    });
    await bench.time.advance(60_000);
    expect(bench.device.bootLog.records.at(-1)?.reason).toBe('watchdog');
  });
});
