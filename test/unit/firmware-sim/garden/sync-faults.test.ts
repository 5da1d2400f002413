import {
  EnvironmentHourly,
  fragmentsOf,
  type HistoryAnswer,
  HistoryQuery,
  RainHistoryCommand,
} from '@autowatering/device-data';
import {
  ATT,
  AttError,
  type Characteristic,
  type GardenReach,
  GardenSync,
  memorySyncMemory,
} from '@autowatering/firmware-sim';
import { describe, expect, it } from 'vitest';
import { BackendError } from '../../../../firmware-sim/phone/api-calls.ts';
import { EnvironmentRows } from '../../../../firmware-sim/sync/environment-rows.ts';
import { type GatheredRead, Gathering } from '../../../../firmware-sim/sync/gathering.ts';
import { HistoryAnswers } from '../../../../firmware-sim/sync/history-answers.ts';
import { readRainRows } from '../../../../firmware-sim/sync/rain-rows.ts';
import { joinedBodies, uploadBodies } from '../../../../firmware-sim/sync/upload-bodies.ts';
import { readWateringRows } from '../../../../firmware-sim/sync/watering-rows.ts';

type Reply = readonly Uint8Array[] | Error;

/** A device that answers questions as told, one reply after the other; the last one again and again. */
function peer(...replies: readonly ((question: Uint8Array) => Reply)[]) {
  const listeners = new Map<Characteristic, (bytes: Uint8Array) => void>();
  const asked: Uint8Array[] = [];
  let [now, kept] = [Date.UTC(2026, 5, 1), new Uint8Array()];
  const began = now;
  const reach: GardenReach = {
    now: () => now,
    async wait(ms, answer) {
      if (answer?.value === undefined) now += ms;
    },
    gatt: {
      mtu: 247,
      read: async () => kept,
      async write(characteristic, bytes) {
        asked.push(bytes.slice());
        const reply = replies[Math.min(asked.length, replies.length) - 1]?.(bytes) ?? [];
        if (reply instanceof Error) throw reply;
        for (const part of reply) listeners.get(characteristic)?.(part);
      },
      async subscribe(characteristic, listener) {
        listeners.set(characteristic, listener);
      },
      async unsubscribe() {},
    },
  };
  return { reach, asked, passed: () => now - began, keep: (bytes: Uint8Array) => (kept = new Uint8Array(bytes)) };
}

const parts = (answer: Partial<HistoryAnswer>) =>
  fragmentsOf({ dataType: 0, status: 0, entryCount: 0, body: new Uint8Array(), ...answer }, 247);
const answers = (answer: Partial<HistoryAnswer>) => () => parts(answer);
const refuses = (status: number) => answers({ dataType: 0xff, status });
const silent = () => [];
const SPAN = { fromS: 1_780_000_000, untilS: 1_780_900_000 };
const rowsOf = (count: number, bytes: number) => {
  const rows = new Uint8Array(count * bytes);
  const view = new DataView(rows.buffer);
  for (let index = 0; index < count; index += 1) view.setUint32(index * bytes, SPAN.fromS + index * 3_600, true);
  return rows;
};
const rain = (count: number) => answers({ entryCount: count, body: rowsOf(count, 8) });

describe('questions about history', () => {
  const ask = async (device: ReturnType<typeof peer>) =>
    (await HistoryAnswers.open(device.reach, 'de14')).ask(Uint8Array.of(1));

  it.each([
    ['a busy device', () => new AttError(ATT.busy, 'busy')],
    ['a broken part', () => [Uint8Array.of(1, 2)]],
    ['an answer that it gave too fast', answers({ dataType: 0xfe, status: 7 })],
    ['error 1', refuses(1)],
    ['error 3', refuses(3)],
    ['silence', silent],
  ] as const)('are asked again after %s', async (_, first) => {
    const device = peer(first, rain(2));
    expect(await ask(device)).toMatchObject({ entryCount: 2 });
    expect(device.asked).toHaveLength(2);
  });

  it('are given up after four times of five seconds without an answer', async () => {
    const device = peer(silent);
    await expect(ask(device)).rejects.toThrow('no answer on de14');
    expect([device.asked.length, device.passed()]).toEqual([4, 4 * 5_110]);
  });

  it('are not asked again after an error that stays, or another refusal of the write', async () => {
    const refused = peer(refuses(5));
    await expect(ask(refused)).rejects.toMatchObject({ name: 'HistoryError', status: 5 });
    expect(refused.asked).toHaveLength(1);
    await expect(ask(peer(() => new AttError(ATT.unlikely, 'no')))).rejects.toBeInstanceOf(AttError);
  });
});

describe('rows of rain', () => {
  const read = async (device: ReturnType<typeof peer>) =>
    readRainRows(await HistoryAnswers.open(device.reach, 'de14'), 'rain_hourly', SPAN);
  const mostOf = (question: Uint8Array) => RainHistoryCommand.read(question)?.max_entries;

  it('are none in an empty ring', async () => {
    expect(await read(peer(rain(0)))).toHaveLength(0);
  });

  it('are asked for by half when they are too many, down to a few', async () => {
    const device = peer(refuses(5), rain(3));
    expect(await read(device)).toHaveLength(24);
    expect(device.asked.map(mostOf)).toEqual([720, 360]);
    const never = peer(refuses(5));
    await expect(read(never)).rejects.toMatchObject({ status: 5 });
    expect(never.asked.map(mostOf).at(-1)).toBe(11);
  });

  it('go on after a full page, and are refused when their count is wrong', async () => {
    const device = peer(refuses(5), refuses(5), rain(180), rain(1));
    expect(await read(device)).toHaveLength(181 * 8);
    await expect(read(peer(answers({ entryCount: 2, body: rowsOf(1, 8) })))).rejects.toThrow('2 rows in 8 bytes');
  });
});

describe('rows of watering', () => {
  const read = async (device: ReturnType<typeof peer>) =>
    readWateringRows(await HistoryAnswers.open(device.reach, 'defc'), 2);
  const ring = (channel: number, count: number, bytes: number) => {
    const echo = { channel_id: channel, history_type: 0, entry_index: 0, count, start_epoch: 0, end_epoch: 0 };
    return answers({ entryCount: count, body: Buffer.concat([HistoryQuery.write(echo), new Uint8Array(bytes)]) });
  };

  it('are those of the channel that was asked about, whatever came late for another', async () => {
    const device = peer(ring(1, 1, 24), ring(2, 2, 48));
    expect(await read(device)).toHaveLength(48);
    expect(await read(peer(ring(2, 0, 0)))).toHaveLength(0);
    await expect(read(peer(ring(2, 2, 30)))).rejects.toThrow('2 rows in 30 bytes');
  });
});

describe('rows of weather', () => {
  const read = async (device: ReturnType<typeof peer>) =>
    (await EnvironmentRows.open(device.reach)).read('environment_hourly', SPAN);
  const page = (count: number) =>
    answers({ dataType: 1, entryCount: count, body: rowsOf(count, EnvironmentHourly.bytes) });

  it('are asked for again when that was too fast, broken or changed meanwhile', async () => {
    const first = [answers({ status: 7 }), () => [Uint8Array.of(1)], answers({ status: 6 })];
    for (const one of first) expect(await read(peer(one, page(2)))).toHaveLength(32);
  });

  it('are none without data, and a notification that was lost is read', async () => {
    expect(await read(peer(answers({ status: 3 })))).toHaveLength(0);
    const device = peer(silent);
    for (const part of page(3)()) device.keep(part);
    expect(await read(device)).toHaveLength(48);
    expect(device.passed()).toBe(1_055);
  });

  it('are given up when refused, uneven, always changing or never there', async () => {
    await expect(read(peer(answers({ status: 1 })))).rejects.toMatchObject({ status: 1 });
    await expect(read(peer(answers({ body: new Uint8Array(5) })))).rejects.toThrow('no whole number');
    await expect(read(peer(answers({ status: 6 })))).rejects.toThrow('its parts change');
    await expect(read(peer(silent))).rejects.toThrow('no part on de16');
  });
});

describe('uploads', () => {
  const place = { serial: 'one', visitId: 'v' };
  const readOf = (rows: number): GatheredRead => ({ kind: 'rain_hourly', readAt: 1, rows: new Uint8Array(rows * 8) });
  const bodiesOf = (...counts: readonly number[]) => {
    const gathered = new Gathering();
    for (const count of counts) gathered.addRead(readOf(count));
    return uploadBodies(gathered, place);
  };

  it('have at most four thousand rows and two hundred reads each, and one is made of nothing', () => {
    const readsOf = (...counts: readonly number[]) => bodiesOf(...counts).map(({ reads }) => reads.length);
    expect([readsOf(), readsOf(2_000, 2_000), readsOf(2_000, 2_001)]).toEqual([[0], [2], [1, 1]]);
    expect(readsOf(...Array.from({ length: 201 }, () => 1))).toEqual([200, 1]);
  });

  it('are joined while they are about one device and within the limits', () => {
    const [small, large] = [...bodiesOf(1), ...bodiesOf(4_000)];
    if (small === undefined || large === undefined) throw new Error('no bodies');
    expect(joinedBodies(small, small)?.reads).toHaveLength(2);
    expect(joinedBodies(small, large)).toBeUndefined();
    expect(joinedBodies(small, { ...small, serial: 'other' })).toBeUndefined();
  });

  it('that are refused for good make way; those that may pass later wait', async () => {
    const memory = memorySyncMemory();
    const sync = new GardenSync({ memory, now: () => 1, name: 'phone' });
    await memory.change((record) => ({ ...record, unsent: bodiesOf(1) }));
    const failing = (status?: number) => ({
      async upload() {
        throw new BackendError('no', status === undefined ? {} : { status });
      },
    });
    for (const status of [undefined, 401, 408, 425, 429, 500]) {
      expect(await sync.send(failing(status))).toMatchObject({ refused: 0, trouble: { status } });
      expect(sync.unsent).toBe(1);
    }
    expect(await sync.send(failing(422))).toMatchObject({ refused: 1, sent: 0, trouble: undefined });
    expect(sync.unsent).toBe(0);
  });
});
