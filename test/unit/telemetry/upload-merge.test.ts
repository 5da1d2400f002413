import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Serial } from '../../../src/platform/ids.ts';
import type { Row } from '../../../src/telemetry/evidence.ts';
import { toBatch } from '../../../src/telemetry/ingest/batch.ts';
import type { Upload, UploadedRead } from '../../../src/telemetry/ingest/upload.ts';
import { LOST_RECORD, rowsRecord } from '../../../src/telemetry/rows/periods.ts';
import { type Chunk, EMPTY_CHUNK } from '../../../src/telemetry/store/chunk.ts';
import { decodeChunk, encodeChunk } from '../../../src/telemetry/store/chunk-codec.ts';
import { mergeParts } from '../../../src/telemetry/store/merge.ts';
import {
  alarmBytes,
  DAY,
  diagnosticsBytes,
  HOUR,
  rainDay,
  rainHour,
  startRow,
  weatherDay,
  weatherHour,
} from '../../support/garden-rows.ts';

const NOW = Date.UTC(2026, 5, 15, 12);
/** What a device without a clock says, some time of its 1 January 2023. */
const FAKE = Date.UTC(2023, 0, 1, 5);

const nothing: Upload = {
  serial: '123456' as Serial,
  sentAt: NOW,
  ...{ phoneSession: undefined, timeZone: undefined, uptime: undefined, reads: [], readings: [], sessions: [] },
};

/** Stores as the backend does: packed, item by item. */
function store(uploads: readonly Upload[]): Map<string, string> {
  const items = new Map<string, string>();
  for (const upload of uploads) {
    const { measurements, months, lost, live } = toBatch(upload, NOW);
    const parts = new Map<string, readonly Partial<Chunk>[]>([...measurements, ...live]);
    for (const [month, own] of months) parts.set(rowsRecord(month), own);
    if (lost.length > 0) parts.set(LOST_RECORD, lost);
    for (const [record, own] of parts) {
      const before = items.get(record);
      const known = before === undefined ? EMPTY_CHUNK : decodeChunk(Buffer.from(before, 'base64'));
      items.set(record, Buffer.from(encodeChunk(mergeParts(known, own).chunk)).toString('base64'));
    }
  }
  return items;
}

function rowsIn(items: ReadonlyMap<string, string>): string[] {
  const rows = [...items.values()].flatMap((data) => decodeChunk(Buffer.from(data, 'base64')).rows);
  return rows.map(spelled).sort();
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const spelled = ({ kind, at, isClockLost, readAt, bytes }: Row) =>
  [kind, at, isClockLost, readAt, hex(bytes)].join(' ');

/** The sheet's rules over all reads at once, with nothing packed, merged or sorted. */
function reference(reads: readonly UploadedRead[]): string[] {
  const size = { watering: 24, rain_hourly: 8, rain_daily: 12, environment_hourly: 16, environment_daily: 22 };
  const said = reads.flatMap((read) =>
    Array.from({ length: read.bytes.byteLength / size[read.kind] }, (_, index) => ({
      ...{ kind: read.kind, readAt: Math.floor(read.readAt / 1000) * 1000, read },
      bytes: hex(read.bytes.slice(index * size[read.kind], (index + 1) * size[read.kind])),
    })),
  );
  const number = (bytes: string) => Buffer.from(bytes, 'hex').readUInt32LE(0);
  const timeOf = ({ kind, bytes }: { kind: Row['kind']; bytes: string }) => {
    if (kind !== 'environment_daily') return number(bytes) * 1000;
    const text = String(number(bytes));
    return Date.parse(`${text.slice(0, 4)}-${text.slice(4, 6)}-${text.slice(6)}T00:00:00Z`);
  };
  const isLost = (one: (typeof said)[number]) => timeOf(one) < Date.UTC(2024, 0, 1);
  const result = new Set<string>();
  for (const one of said) {
    const { kind, bytes } = one;
    if (isLost(one)) {
      const counts = [
        ...new Set(said.filter((other) => other.kind === kind && other.bytes === bytes).map(({ read }) => read)),
      ].map((read) => ({
        count: said.filter((other) => other.read === read && other.bytes === bytes).length,
        readAt: Math.floor(read.readAt / 1000) * 1000,
      }));
      for (let nth = 1; nth <= Math.max(...counts.map(({ count }) => count)); nth += 1) {
        const first = Math.min(...counts.filter(({ count }) => count >= nth).map(({ readAt }) => readAt));
        result.add([kind, first, true, first, bytes, `#${nth}`].join(' '));
      }
    } else if (kind === 'watering') {
      const readAt = Math.min(
        ...said.filter((other) => other.kind === kind && other.bytes === bytes).map((other) => other.readAt),
      );
      result.add([kind, timeOf(one), false, readAt, bytes].join(' '));
    } else {
      const versions = said.filter((other) => other.kind === kind && timeOf(other) === timeOf(one));
      const last = versions.sort((a, b) => a.readAt - b.readAt || (a.bytes < b.bytes ? -1 : 1)).at(-1);
      result.add([kind, timeOf(one), false, last?.readAt, last?.bytes].join(' '));
    }
  }
  return [...result].map((text) => text.replace(/ #\d+$/, '')).sort();
}

const hour = fc.integer({ min: 0, max: 40 }).map((back) => Math.floor(NOW / HOUR) * HOUR - back * 5 * HOUR);
const day = fc.integer({ min: 0, max: 12 }).map((back) => Math.floor(NOW / DAY) * DAY - back * 20 * DAY);
const clocklessOr = (time: fc.Arbitrary<number>) =>
  fc.oneof({ weight: 4, arbitrary: time }, { weight: 1, arbitrary: fc.constant(FAKE) });
const few = fc.integer({ min: 0, max: 2 });
const readAt = fc.integer({ min: 0, max: 8 }).map((back) => NOW - back * 2 * HOUR - back);
const ring = <T>(row: fc.Arbitrary<T>) => fc.array(row, { minLength: 1, maxLength: 6 });
const read = fc.oneof(
  fc.tuple(ring(fc.tuple(clocklessOr(hour), few, few)), readAt).map(
    ([rows, at]): UploadedRead => ({
      ...{ kind: 'watering', channel: undefined, fromAt: undefined, readAt: at },
      bytes: Buffer.concat(rows.map(([time, channel, minutes]) => startRow(time - 60_000, channel, minutes + 1))),
    }),
  ),
  fc.tuple(ring(fc.tuple(clocklessOr(hour), few)), readAt).map(
    ([rows, at]): UploadedRead => ({
      ...{ kind: 'rain_hourly', channel: undefined, fromAt: undefined, readAt: at },
      bytes: Buffer.concat(rows.map(([time, rain]) => rainHour(time, rain))),
    }),
  ),
  fc.tuple(ring(fc.tuple(clocklessOr(hour), few)), readAt).map(
    ([rows, at]): UploadedRead => ({
      ...{ kind: 'environment_hourly', channel: undefined, fromAt: undefined, readAt: at },
      bytes: Buffer.concat(rows.map(([time, warmer]) => weatherHour(time, -120 + warmer, 9_999, 95_000))),
    }),
  ),
  fc.tuple(ring(fc.tuple(day, few)), readAt).map(
    ([rows, at]): UploadedRead => ({
      ...{ kind: 'rain_daily', channel: undefined, fromAt: undefined, readAt: at },
      bytes: Buffer.concat(rows.map(([time, rain]) => rainDay(time, rain * 70_000))),
    }),
  ),
  fc.tuple(ring(fc.tuple(day, few)), readAt).map(
    ([rows, at]): UploadedRead => ({
      ...{ kind: 'environment_daily', channel: undefined, fromAt: undefined, readAt: at },
      bytes: Buffer.concat(rows.map(([time, warmer]) => weatherDay(time, warmer * 10))),
    }),
  ),
);

describe('what phones upload of a device', () => {
  it('is stored the same in any split, order and repetition, and as the rules over all rows at once say', () => {
    fc.assert(
      fc.property(
        fc.array(read, { minLength: 1, maxLength: 8 }).chain((reads) =>
          fc.record({
            reads: fc.constant(reads),
            // Uploads of any of the reads, some of them twice …
            more: fc.array(fc.subarray(reads), { maxLength: 4 }),
            // … and each once, in another order.
            order: fc.shuffledSubarray(reads, { minLength: reads.length, maxLength: reads.length }),
          }),
        ),
        ({ reads, more, order }) => {
          const upload = (own: readonly UploadedRead[]): Upload => ({ ...nothing, reads: own });
          const atOnce = store([upload(reads)]);
          const bitByBit = store([...more.map(upload), ...order.map((one) => upload([one]))]);
          expect(bitByBit).toEqual(atOnce);
          expect(rowsIn(atOnce)).toEqual(reference(reads));
        },
      ),
      { numRuns: 150 },
    );
  });

  it('has an end: what a day has no room for is refused, and alarms are the last to go', () => {
    const samples = (kind: 'flow' | 'alarm', count: number) =>
      Array.from({ length: count }, (_, index) => ({
        ...{ kind, uptimeMs: undefined, readAt: NOW - DAY / 3 + index * 1_000 },
        bytes: kind === 'flow' ? Uint8Array.of(index, 0, 0, 0) : alarmBytes(1, 1, NOW),
      }));
    const [flow, alarms] = [samples('flow', 1_600), samples('alarm', 300)];
    const upload = (readings: Upload['readings']) => ({ ...nothing, readings });
    const day = 'live#2026-06-15';
    const stored = store([upload(flow), upload(alarms)]);
    expect(store([upload(alarms), upload(flow.toReversed()), upload(flow)])).toEqual(stored);
    const known = decodeChunk(Buffer.from(stored.get(day) ?? '', 'base64'));
    expect(known.samples).toHaveLength(1_500);
    expect(known.samples.filter(({ kind }) => kind === 'alarm')).toHaveLength(300);
    const again = mergeParts(known, toBatch(upload(flow), NOW).live.get(day) ?? []);
    expect(again).toMatchObject({ isChanged: false, tooMany: 400 });
  });

  it('tells of a start of the device once, whatever minute its uptime is read in', () => {
    const started = NOW - 3 * DAY;
    const uptimes = [10, 11.4, 300.7, 2_000.2].map((minutes) => ({
      ...({ kind: 'diagnostics', uptimeMs: undefined, readAt: started + minutes * 60_000 } as const),
      bytes: diagnosticsBytes(Math.floor(minutes)),
    }));
    const all = store([{ ...nothing, readings: uptimes }]);
    const { boots } = decodeChunk(Buffer.from(all.get('rows#2026-06') ?? '', 'base64'));
    expect(boots.length).toBeLessThanOrEqual(2);
    expect(store(uptimes.toReversed().map((one) => ({ ...nothing, readings: [one] })))).toEqual(all);
  });
});
