import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { Row } from '../../../src/telemetry/evidence.ts';
import type { Chunk } from '../../../src/telemetry/store/chunk.ts';
import { decodeChunk, encodeChunk } from '../../../src/telemetry/store/chunk-codec.ts';
import {
  alarmBytes,
  DAY,
  HOUR,
  rainDay,
  rainHour,
  startRow,
  stopRow,
  weatherDay,
  weatherHour,
} from '../../support/garden-rows.ts';

const AT = Date.UTC(2026, 2, 25, 5);
const row = (kind: Row['kind'], at: number, bytes: Uint8Array): Row => ({
  ...{ kind, at, isClockLost: false, readAt: AT + DAY, bytes },
});

/** One of everything. Changing it needs a new golden text. */
const CHUNK: Chunk = {
  rows: [
    row('watering', AT, startRow(AT, 2, 15)),
    row('watering', AT + 240_000, stopRow(AT + 240_000, 2, 4)),
    row('rain_hourly', AT, rainHour(AT, 30)),
    row('rain_daily', AT - 5 * HOUR, rainDay(AT - 5 * HOUR, 130)),
    row('environment_hourly', AT, weatherHour(AT, -312)),
    row('environment_hourly', AT + HOUR, weatherHour(AT + HOUR, 1_204)),
    { kind: 'environment_hourly', at: AT, isClockLost: true, readAt: AT, bytes: weatherHour(Date.UTC(2023, 0, 1, 7)) },
    row('environment_daily', AT - 5 * HOUR, weatherDay(AT - 5 * HOUR, 1_010)),
  ],
  sessions: [
    {
      ...{ sessionId: 'AAECAwQFBgc', channel: 2, startedAt: AT, sawStart: true, endedAt: AT + 240_000 },
      ...{ ended: 'stopped', millilitres: 12_345 },
    },
    {
      ...{ sessionId: 'CAECAwQFBgc', channel: 7, startedAt: AT + 1_000, sawStart: false, endedAt: AT + 1_000 },
      ...{ ended: 'lost_sight', millilitres: null },
    },
  ],
  boots: [14_786_790, 14_786_791],
  samples: [
    { kind: 'status', readAt: AT + 7, uptimeMs: null, phoneSession: 0, bytes: Uint8Array.of(6) },
    { kind: 'alarm', readAt: AT + 9, uptimeMs: 61_000, phoneSession: 4_000_000_000, bytes: alarmBytes(4, 2, AT) },
    { kind: 'alarm', readAt: AT + 11, uptimeMs: 63_000, phoneSession: 1, bytes: alarmBytes(7, 2, AT + 2_000) },
  ],
};

/** What format 1 inflates to. Stored items are read for years: if this changes, it is another format. */
const GOLDEN = [
  '0002a0af9b9c0de003a0f5a59c0d0000000404020202001e0000080000000000000000000000000000000000000000000001',
  '01ba953ca0f5a59c0d003c3cc8010201f2c002a0f5a59c0d0084025606c8010302ba953c02a0f5a59c0d000000ef04d81700',
  '000000f855009aaf0c002301a0af9b9c0de0bd89bb0ccc210000f8559aaf0c0401f2c002a0f5a59c0d00e40fe707f80af855',
  'b717882790aa0c3040020001020304050607080102030405060702070306a0af9b9c0d02e00300ba60004102cc838d0e0242',
  '018e92e9b5a46700000600000000000000029292e9b5a46792b90780a0d9e61d04a01ffd9fd9e61d040302000000d0026b00',
  'c3006900',
].join('');

describe('the format of chunks', () => {
  it('1 is what it was', () => {
    const packed = encodeChunk(CHUNK);
    expect(packed[0]).toBe(1);
    expect(inflateRawSync(packed.subarray(1)).toString('hex')).toBe(GOLDEN);
    const stored = Buffer.concat([Uint8Array.of(1), deflateRawSync(Buffer.from(GOLDEN, 'hex'))]);
    expect(decodeChunk(stored)).toEqual(CHUNK);
  });

  it('is refused if it is another or cut off', () => {
    const packed = encodeChunk(CHUNK);
    expect(() => decodeChunk(Buffer.concat([Uint8Array.of(2), packed.subarray(1)]))).toThrow('format 2');
    const cut = deflateRawSync(Buffer.from(GOLDEN, 'hex').subarray(0, -3));
    expect(() => decodeChunk(Buffer.concat([Uint8Array.of(1), cut]))).toThrow(RangeError);
  });
});
