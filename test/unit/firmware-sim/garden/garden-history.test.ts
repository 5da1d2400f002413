import {
  EnvironmentDaily,
  EnvironmentHistoryRequest,
  EnvironmentHourly,
  HistoryFragmentHeader,
  HistoryQuery,
  RainDaily,
  RainHourly,
  type Read,
  Statistics,
} from '@autowatering/device-data';
import { describe, expect, it } from 'vitest';
import { DAY, type GardenBench, gardenBench, HOUR, JUNE, MINUTE } from '../../../support/garden.ts';

const daily = { schedule: { hour: 6, minute: 0, amount: { minutes: 2 } }, isRainAware: false };
const rowsOf = <T>(structure: { readonly bytes: number; read(bytes: Uint8Array): T | undefined }, body: Uint8Array) =>
  Array.from({ length: body.byteLength / structure.bytes }, (_, index) =>
    structure.read(body.slice(index * structure.bytes, (index + 1) * structure.bytes)),
  );
const seconds = (ms: number) => Math.floor(ms / 1000);

describe('watering rows', () => {
  const bench = gardenBench({ zones: [{}, daily] });
  bench.wait(40 * DAY);

  it('are the last thirty of their channel, oldest first', () => {
    const epochs = bench.entries(1).map(({ epoch }) => epoch);
    expect(epochs).toHaveLength(30);
    expect(epochs).toEqual([...epochs].sort((a, b) => a - b));
    expect(seconds(bench.garden.now) - (epochs.at(-1) ?? 0)).toBeLessThan(24 * 3600);
    expect(bench.rows(0)).toEqual([]);
  });

  it('are all on page 0, are cut from the old end, and are not filtered by time', () => {
    expect(bench.watering(1, { entry_index: 1 })).toMatchObject({ entryCount: 0 });
    expect(bench.watering(1, { start_epoch: 1, end_epoch: 2 })).toMatchObject({ entryCount: 30 });
    const all = bench.watering(1).body;
    const { entryCount, body } = bench.watering(1, { count: 3 });
    expect([entryCount, body.subarray(12)]).toEqual([3, all.subarray(12, 12 + 3 * 24)]);
    expect(HistoryQuery.read(body.slice(0, 12))).toMatchObject({ channel_id: 1, count: 3 });
  });

  it('of channel 255 are those of channel 0, and aggregates are empty', () => {
    bench.gatt().write('def8', Uint8Array.of(0, ...new Uint8Array(14)));
    expect(bench.watering(0xff).body.subarray(12)).toEqual(bench.watering(0).body.subarray(12));
    for (const history_type of [1, 2, 3]) expect(bench.watering(1, { history_type }).entryCount).toBe(0);
  });

  it('are not sent for another channel within 100 ms, nor while others are sent', () => {
    bench.wait(HOUR);
    const ask = (channel: number) => bench.gatt().write('defc', Uint8Array.of(channel, 0, 0, 50, ...new Uint8Array(8)));
    const before = bench.notified('defc').length;
    ask(1);
    expect(() => ask(1)).toThrow('ATT 0x10');
    bench.wait(50);
    ask(2);
    bench.wait(50);
    const parts = bench.notified('defc').slice(before);
    expect(parts.map(({ bytes }) => HistoryFragmentHeader.read(bytes.slice(0, 8)))).toMatchObject([
      { data_type: 0, entry_count: 30, fragment_index: 0, total_fragments: 4, fragment_size: 232 },
      { fragment_index: 1 },
      { fragment_index: 2 },
      { fragment_index: 3, fragment_size: 36 },
      { data_type: 0xfe, status: 7, fragment_size: 0 },
    ]);
    expect(parts.slice(0, 4).map(({ at }) => at - (parts[0]?.at ?? 0))).toEqual([0, 2, 4, 6]);
  });

  it('older than ninety days are cleaned up in memory, and come back with a restart', () => {
    const old = gardenBench();
    for (const zone of [3, 3]) old.gatt().write('def8', Uint8Array.of(zone, ...new Uint8Array(14)));
    old.wait(100 * DAY);
    old.gatt().write('def8', Uint8Array.of(3, ...new Uint8Array(14)));
    old.watering(0xff, { history_type: 0xff });
    expect(old.rows(3)).toHaveLength(1);
    old.garden.reboot();
    old.wait(MINUTE);
    old.comeBack();
    expect(old.rows(3)).toHaveLength(3);
  });
});

describe('the memory of a channel that a cleanup emptied', () => {
  const reset = (bench: GardenBench) => bench.gatt().write('def8', Uint8Array.of(3, ...new Uint8Array(14)));

  it('takes its next row for a free place again, which the one after it overwrites', () => {
    const bench = gardenBench();
    for (const _ of [1, 2]) reset(bench);
    bench.wait(100 * DAY);
    bench.watering(3, { history_type: 0xff });
    const shown = [1, 2, 3].map(() => {
      reset(bench);
      return bench.rows(3).length;
    });
    expect(shown).toEqual([1, 1, 2]);
  });

  it('has lost the rows of a lost clock too, which stand between others', () => {
    const bench = gardenBench();
    for (const _ of [1, 2]) reset(bench);
    const from = bench.garden.now;
    bench.garden.plant({ kind: 'lost_clock', from: from + HOUR, until: from + 2 * HOUR });
    bench.wait(90 * MINUTE);
    reset(bench);
    bench.wait(HOUR);
    bench.garden.reboot();
    bench.wait(MINUTE);
    bench.comeBack();
    reset(bench);
    const years = () => bench.entries(3).map(({ epoch }) => new Date(epoch * 1000).getUTCFullYear());
    expect(years()).toEqual([2023, 2026, 2026, 2026]);
    bench.watering(3, { history_type: 0xff });
    expect(years()).toEqual([2026, 2026, 2026]);
  });
});

describe('rain', () => {
  const bench = gardenBench();
  bench.wait(40 * DAY);
  const now = seconds(bench.garden.now);

  it('is kept for 720 hours, dry ones too, and a year of days needs several answers', () => {
    const { body, entryCount, dataType } = bench.rain({});
    const hours = rowsOf(RainHourly, body);
    expect([dataType, entryCount, hours.length]).toEqual([0, 720, 720]);
    expect(hours.map((hour) => hour?.hour_epoch)).toEqual(
      Array.from({ length: 720 }, (_, index) => now - (720 - index) * 3600),
    );
    expect(hours.some((hour) => hour?.mm_x100 === 0)).toBe(true);
    const days = rowsOf(RainDaily, bench.rain({ command: 2, max_entries: 365 }).body);
    expect(days).toHaveLength(40);
    const measured = days.reduce((sum, day) => sum + (day?.total_x100 ?? 0), 0) / 100;
    const fell = bench.garden.truth.days.reduce((sum, { rainMm }) => sum + rainMm, 0);
    expect(Math.abs(measured - fell)).toBeLessThan(0.3);
    expect(days.every((day) => day?.completeness_pct === 100)).toBe(true);
  });

  it('is filtered by time', () => {
    const { entryCount } = bench.rain({ start_epoch: now - 24 * 3600, end_epoch: now });
    expect(entryCount).toBe(24);
  });

  it('refuses by a status: bad arguments, an unknown command, too much for its heap, busy', () => {
    expect(bench.rain({ start_epoch: 2, end_epoch: 1 })).toMatchObject({ dataType: 0xff, status: 0xfe });
    expect(bench.rain({ command: 9 })).toMatchObject({ dataType: 0xff, status: 0xff });
    const before = bench.notified('de14').length;
    const ask = () => bench.gatt().write('de14', Uint8Array.of(1, ...new Uint8Array(15)));
    ask();
    bench.wait(5);
    ask();
    bench.wait(1_000);
    const parts = bench.notified('de14').slice(before);
    // The second question ends the answer to the first.
    expect(parts.length).toBeLessThan(5);
    expect([...(parts.at(-1)?.bytes.subarray(0, 2) ?? [])]).toEqual([0xff, 1]);
    const old = gardenBench();
    old.wait(700 * DAY);
    expect(old.rain({ command: 2, max_entries: 700 })).toMatchObject({ dataType: 0xff, status: 5 });
    expect(old.rain({ command: 2, max_entries: 365 })).toMatchObject({ dataType: 1, entryCount: 365 });
  });

  it('is erased when asked to', () => {
    const other = gardenBench();
    other.wait(2 * DAY);
    expect(other.rain({ command: 0x10 })).toMatchObject({ dataType: 0xfd, status: 0 });
    expect(other.rain({}).entryCount).toBe(0);
  });

  it('of the hour is lost when the device restarts, and the gap of its absence stays', () => {
    const other = gardenBench();
    other.wait(2 * HOUR + 30 * MINUTE);
    other.garden.powerOff();
    other.wait(5 * HOUR);
    other.garden.powerOn();
    other.wait(2 * HOUR);
    other.comeBack();
    const hours = rowsOf(RainHourly, other.rain({}).body).map((hour) => ((hour?.hour_epoch ?? 0) * 1000 - JUNE) / HOUR);
    expect(hours).toEqual([0, 1, 7, 8]);
  });
});

/** Pulls all parts, 50 ms apart. */
function pull(bench: GardenBench, request: Partial<Read<typeof EnvironmentHistoryRequest>>, pauseMs = 50) {
  const usual = { command: 2, start_epoch: 0, end_epoch: 0, data_type: 1, max_records: 100, fragment_id: 0 };
  const statuses: number[] = [];
  const bodies: Uint8Array[] = [];
  for (let [part, total] = [0, 1]; part < total; part += 1) {
    bench.wait(pauseMs);
    const bytes = { ...usual, reserved: new Uint8Array(8), ...request, fragment_id: part };
    bench.gatt().write('de16', EnvironmentHistoryRequest.write(bytes));
    const answer = bench.gatt().read('de16');
    const header = HistoryFragmentHeader.read(answer.slice(0, 8));
    statuses.push(header?.status ?? -1);
    total = header?.status === 0 ? header.total_fragments : 0;
    bodies.push(answer.slice(8));
  }
  return { statuses, body: Uint8Array.from(Buffer.concat(bodies)) };
}

describe('the weather', () => {
  const bench = gardenBench();
  bench.wait(40 * DAY + 30 * MINUTE);
  const now = seconds(bench.garden.now);

  it('is pulled part by part, at most a hundred hours at a time; average, least and most are equal', () => {
    const { statuses, body } = pull(bench, {});
    const hours = rowsOf(EnvironmentHourly, body);
    expect(hours).toHaveLength(100);
    expect(statuses).toEqual(Array.from({ length: 8 }, () => 0));
    expect(hours.every((hour) => hour?.t_avg_x100 === hour?.t_min_x100 && hour?.t_avg_x100 === hour?.t_max_x100)).toBe(
      true,
    );
    expect((hours[0]?.epoch ?? 0) >= now - 720 * 3600).toBe(true);
  });

  it('has a row of the hour that goes on, which is written again', () => {
    const latest = () => rowsOf(EnvironmentHourly, pull(bench, { start_epoch: now - 1_800 }).body).at(-1);
    const first = latest();
    bench.wait(20 * MINUTE);
    const again = latest();
    expect(again?.epoch).toBe(first?.epoch);
    expect(again).not.toEqual(first);
  });

  it('has local days that are numbers', () => {
    const days = rowsOf(EnvironmentDaily, pull(bench, { command: 3, data_type: 2 }).body);
    expect(days.map((day) => day?.date_yyyymmdd).slice(0, 2)).toEqual([20260601, 20260602]);
    // At midnight UTC it was three in the morning.
    expect(days.map((day) => day?.samples).slice(0, 2)).toEqual([21, 24]);
    expect(days.length).toBeGreaterThan(38);
  });

  it('has a trend in one record, and the same hours in short', () => {
    expect(pull(bench, { command: 4, data_type: 3 }).body).toHaveLength(24);
    expect(pull(bench, { command: 1, data_type: 0, max_records: 2 }).body).toHaveLength(24);
  });

  it('refuses what is too fast, out of range, not there, or not a command', () => {
    bench.wait(HOUR);
    expect(pull(bench, {}, 49).statuses.slice(0, 2)).toEqual([0, 7]);
    expect(pull(bench, { start_epoch: 2, end_epoch: 1 }).statuses).toEqual([2]);
    expect(pull(bench, { start_epoch: now + 86_400 }).statuses).toEqual([3]);
    expect(pull(bench, { command: 9 }).statuses).toEqual([1]);
    bench.wait(50);
    bench.gatt().write('de16', Uint8Array.of(2, ...new Uint8Array(10), 77));
    expect(bench.gatt().read('de16')[1]).toBe(6);
    expect(pull(gardenBench({ mtu: 26 }), { command: 3 }).statuses).toEqual([3]);
  });

  it('has no rows of a dead sensor, fills in what a short absence missed, and is erased when asked to', () => {
    const other = gardenBench({
      faults: [{ kind: 'dead_sensor', from: JUNE + 3 * HOUR + 1, until: JUNE + 30 * HOUR }],
    });
    other.wait(10 * HOUR);
    expect(rowsOf(EnvironmentHourly, pull(other, {}).body)).toHaveLength(3);
    other.garden.powerOff();
    other.wait(DAY);
    other.garden.powerOn();
    other.wait(3 * HOUR);
    other.comeBack();
    const hours = rowsOf(EnvironmentHourly, pull(other, {}).body).map(
      (hour) => ((hour?.epoch ?? 0) * 1000 - JUNE) / HOUR,
    );
    expect(hours.slice(-4)).toEqual([34, 35, 36, 37]);
    expect(pull(other, { command: 5 }).statuses).toEqual([0]);
    expect(rowsOf(EnvironmentHourly, pull(other, {}).body)).toHaveLength(1);
  });
});

describe('statistics', () => {
  it('of a channel are chosen by one byte, which stays chosen for the next phone', () => {
    const bench = gardenBench();
    bench.gatt().write('def8', Uint8Array.of(5));
    bench.leave();
    bench.comeBack();
    expect(bench.read('def8', Statistics).channel_id).toBe(5);
    expect(() => bench.gatt().write('def8', Uint8Array.of(8))).toThrow('ATT 0x13');
  });
});
