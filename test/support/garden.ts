import {
  CurrentTask,
  createFragmentReader,
  type DeviceWrite,
  type HistoryAnswer,
  HistoryDetailedEntry,
  HistoryQuery,
  HydraulicStatus,
  RainHistoryCommand,
  type Read,
  readDetailedEntries,
  type WateringRow,
  wateringRow,
} from '@autowatering/device-data';
import { type Characteristic, Garden, type GardenOptions, type OpenGatt, openGatt } from '@autowatering/firmware-sim';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
/** A Monday in a warm and, with this seed, dry June, at midnight UTC, three in the morning in Romania. */
export const JUNE = Date.UTC(2026, 5, 1);

export interface Notified {
  readonly at: number;
  readonly characteristic: Characteristic;
  readonly bytes: Uint8Array;
}

export interface GardenBenchOptions extends Partial<GardenOptions> {
  readonly mtu?: number;
  /** What a phone is subscribed to from the start. Default: answers only. */
  readonly subscribed?: readonly Characteristic[];
}

export type GardenBench = ReturnType<typeof gardenBench>;

/** A garden with a phone connected to it, without a radio between them. */
export function gardenBench({ mtu = 247, subscribed = [], ...options }: GardenBenchOptions = {}) {
  const garden = new Garden({ startsAt: JUNE, seed: 1, ...options });
  const notified: Notified[] = [];
  const connect = () => {
    const gatt = openGatt(garden, {
      mtu,
      notify: (characteristic, bytes) => notified.push({ at: garden.now, characteristic, bytes: bytes.slice() }),
    });
    for (const characteristic of ['defc', 'de14', 'de16', ...subscribed] as const) gatt.subscribe(characteristic);
    return gatt;
  };
  let gatt: OpenGatt = connect();
  const wait = (ms: number) => garden.advanceTo(garden.now + ms);
  const of = (characteristic: Characteristic) => notified.filter((one) => one.characteristic === characteristic);

  const answerTo = (characteristic: 'defc' | 'de14', bytes: Uint8Array): HistoryAnswer => {
    wait(150);
    const before = of(characteristic).length;
    gatt.write(characteristic, bytes);
    wait(2_000);
    const reader = createFragmentReader();
    for (const { bytes: part } of of(characteristic).slice(before)) {
      const outcome = reader.add(part);
      if (outcome.kind === 'complete') return outcome.answer;
      if (outcome.kind === 'broken') throw new Error(outcome.reason);
    }
    throw new Error(`no whole answer on ${characteristic}`);
  };
  /** Asks as the sheet advises: index 0, count 50. */
  const watering = (channel: number, query: Partial<Read<typeof HistoryQuery>> = {}) => {
    const usual = { channel_id: channel, history_type: 0, entry_index: 0, count: 50, start_epoch: 0, end_epoch: 0 };
    return answerTo('defc', HistoryQuery.write({ ...usual, ...query }));
  };

  return {
    garden,
    notified: of,
    wait,
    watering,
    answerTo,
    gatt: () => gatt,
    write: ({ characteristic, bytes }: DeviceWrite) => gatt.write(characteristic, bytes),
    /** The phone goes away and comes back. */
    leave: () => gatt.close(),
    comeBack() {
      gatt = connect();
    },
    read<T>(characteristic: Characteristic, structure: { read(bytes: Uint8Array): T | undefined }): T {
      const values = structure.read(gatt.read(characteristic));
      if (values === undefined) throw new Error(`${characteristic} has another length`);
      return values;
    },
    task: () => CurrentTask.read(gatt.read('deff')),
    hydraulics(channel: number) {
      gatt.write('de22', Uint8Array.of(channel));
      return HydraulicStatus.read(gatt.read('de22'));
    },
    /** What the rows of a channel say, oldest first. */
    rows(channel: number): readonly WateringRow[] {
      return this.entries(channel).map(wateringRow);
    },
    entries(channel: number): readonly Read<typeof HistoryDetailedEntry>[] {
      const { body, entryCount } = watering(channel);
      if (entryCount === 0) return [];
      const rows = readDetailedEntries(body.subarray(HistoryQuery.bytes)) ?? [];
      return rows.flatMap((row) => HistoryDetailedEntry.read(row) ?? []);
    },
    rain: (command: Partial<Read<typeof RainHistoryCommand>>) => {
      const usual = { command: 1, start_epoch: 0, end_epoch: 0, max_entries: 720, data_type: 0 };
      return answerTo('de14', RainHistoryCommand.write({ ...usual, reserved: new Uint8Array(4), ...command }));
    },
  };
}
