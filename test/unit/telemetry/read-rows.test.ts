import { describe, expect, it } from 'vitest';
import { readRows } from '../../../src/telemetry/rows/read-rows.ts';
import { DAY, HOUR, rainDay, rainHour, startRow, weatherDay, weatherHour } from '../../support/garden-rows.ts';

const NOW = Date.UTC(2026, 5, 15, 12, 30);
const LOST = Date.UTC(2023, 0, 1, 5);
type Kind = Parameters<typeof readRows>[0]['kind'];
const read = (kind: Kind, bytes: Uint8Array, channel?: number) => readRows({ kind, channel, readAt: NOW, bytes });
const faults = (kind: Kind, bytes: Uint8Array, channel?: number) =>
  read(kind, bytes, channel)?.refused.map(({ fault }) => fault);

describe('a row', () => {
  it.each([
    ['of zeros is empty', 'rain_hourly', new Uint8Array(8), 'empty'],
    ['of erased flash is empty', 'watering', new Uint8Array(24).fill(0xff), 'empty'],
    ['can’t be of a ninth channel', 'watering', startRow(NOW, 8), 'channel'],
    ['can’t be hotter than the sensor goes', 'environment_hourly', weatherHour(NOW, 12_000), 'temperature'],
    ['can’t be more humid than water', 'environment_hourly', weatherHour(NOW, 2_000, 10_001), 'humidity'],
    ['can’t be of a day that is not', 'environment_daily', withDate(20_260_230), 'date'],
    ['can’t be of the day after tomorrow', 'rain_hourly', rainHour(NOW + 2 * DAY), 'future'],
    ['is gone after 400 days', 'watering', startRow(NOW - 401 * DAY), 'too_old'],
  ] as const)('%s', (_name, kind, bytes, fault) => {
    expect(faults(kind, bytes)).toEqual([fault]);
  });

  it('can’t be of another channel than was read', () => {
    expect(faults('watering', Buffer.concat([startRow(NOW, 3), startRow(NOW, 4)]), 3)).toEqual(['channel']);
  });

  it('of five years ago is kept if it is a day’s rain', () => {
    expect(read('rain_daily', rainDay(Date.UTC(2024, 0, 2), 5))?.rows).toHaveLength(1);
  });

  it('is under its hour or day, or without a clock under the time it was read', () => {
    const ats = (kind: Kind, bytes: Uint8Array) =>
      read(kind, bytes)?.rows.map(({ at, isClockLost }) => [at, isClockLost]);
    const hour = NOW - (NOW % HOUR);
    expect(ats('rain_hourly', rainHour(NOW))).toEqual([[hour, false]]);
    expect(ats('environment_daily', weatherDay(NOW))).toEqual([[NOW - (NOW % DAY), false]]);
    expect(ats('watering', startRow(LOST, 1))).toEqual([[NOW, true]]);
    expect(ats('environment_daily', weatherDay(LOST))).toEqual([[NOW, true]]);
  });

  it('is no row if the read has another layout', () => {
    expect(read('watering', new Uint8Array(25))).toBeUndefined();
  });
});

function withDate(number: number): Uint8Array {
  const bytes = weatherDay(NOW);
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(0, number, true);
  return bytes;
}
