import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isHwId, isUid } from '../../../src/platform/ids.ts';
import type { Evidence, WatchedSession } from '../../../src/telemetry/evidence.ts';
import { unpackRollUp } from '../../../src/telemetry/rollups/packed.ts';
import { rollUp } from '../../../src/telemetry/rollups/roll-up.ts';
import { monthAfter, monthOf, startOfMonth } from '../../../src/telemetry/rows/periods.ts';
import type { Run } from '../../../src/telemetry/run.ts';
import { runsOf } from '../../../src/telemetry/runs/runs.ts';
import { createTelemetryStore } from '../../../src/telemetry/store/telemetry-store.ts';
import { type Backend, startBackend } from '../../support/backend.ts';
import { base64, DAY, diagnosticsBytes, MINUTE, rainSkipRow, startRow, stopRow } from '../../support/garden-rows.ts';
import { newGarden } from '../../support/gardens.ts';

let backend: Backend;
beforeAll(async () => {
  backend = await startBackend();
});
afterAll(() => backend.stop());

const ZONE = 'Europe/Bucharest';
const BOOT_STEP = 2 * MINUTE;

/** What a phone can tell, at a minute after the beginning. */
interface Told {
  readonly minute: number;
  readonly channel: number;
  readonly what: 'start' | 'stop' | 'skip' | 'lost start' | 'session' | 'boot';
  readonly minutes: number;
  readonly ended: WatchedSession['ended'];
  readonly sawStart: boolean;
}

const told: fc.Arbitrary<Told> = fc.record({
  ...{
    minute: fc.nat(6 * 24 * 12).map((five) => five * 5),
    channel: fc.nat(1),
    minutes: fc.integer({ min: 1, max: 30 }),
  },
  what: fc.constantFrom(...(['start', 'start', 'stop', 'skip', 'lost start', 'session', 'session', 'boot'] as const)),
  ended: fc.constantFrom(...(['completed', 'stopped', 'lost_sight'] as const)),
  sawStart: fc.boolean(),
});

/** Everything that is told, in uploads of any split, order and repetition, some of them at the same time. */
const history = fc.array(told, { minLength: 1, maxLength: 40 }).chain((all) => {
  const indexes = fc.subarray([...all.keys()]);
  return fc.record({
    all: fc.constant(all),
    owners: fc.array(fc.nat(3), { minLength: all.length, maxLength: all.length }),
    again: fc.array(indexes, { maxLength: 2 }),
    order: fc.infiniteStream(fc.nat(1_000)).map((stream) => [...stream.take(8)]),
    atOnce: fc.integer({ min: 1, max: 3 }),
  });
});

/** Two days before the last month but one ends. */
function beginning(): number {
  return startOfMonth(monthAfter(monthOf(backend.clock.now()), -1)) - 2 * DAY;
}

const sessionId = ({ minute, channel, ended, sawStart, minutes }: Told) =>
  `s-${minute}-${channel}-${ended}-${sawStart}-${minutes}`;

function rowOf({ what, minute, channel, minutes }: Told, begin: number): Uint8Array | undefined {
  const at = begin + minute * MINUTE;
  if (what === 'start') return startRow(at, channel, minutes);
  if (what === 'stop') return stopRow(at, channel, minutes);
  if (what === 'skip') return rainSkipRow(at, channel);
  if (what === 'lost start') return startRow(Date.parse('2023-01-01T06:00:00Z'), channel, minutes);
  return undefined;
}

/** A lost clock's rows are of the time at which they are read: each of another read. */
function readAt({ what, minute, minutes }: Told, begin: number): number {
  return what === 'lost start' ? begin + (minute + minutes) * MINUTE : begin + 20 * DAY;
}

function bodyOf(pieces: readonly Told[], begin: number): Readonly<Record<string, unknown>> {
  return {
    time_zone: ZONE,
    reads: pieces.flatMap((piece) => {
      const row = rowOf(piece, begin);
      if (row === undefined) return [];
      return [{ kind: 'watering', channel: piece.channel, read_at: readAt(piece, begin), rows: base64(row) }];
    }),
    sessions: pieces
      .filter(({ what }) => what === 'session')
      .map((piece) => ({
        ...{ session_id: sessionId(piece), channel: piece.channel, saw_start: piece.sawStart, ended: piece.ended },
        ...{ started_at: begin + piece.minute * MINUTE, ended_at: begin + (piece.minute + piece.minutes) * MINUTE },
        millilitres: piece.minutes * 2_000,
      })),
    readings: pieces
      .filter(({ what }) => what === 'boot')
      .map((piece) => {
        const uptimeMin = (readAt(piece, begin) - bootAt(piece, begin)) / MINUTE;
        return { kind: 'diagnostics', read_at: readAt(piece, begin), bytes: base64(diagnosticsBytes(uptimeMin)) };
      }),
  };
}

/** All that was told, each thing once: what the store must come to. */
function evidenceOf(all: readonly Told[], begin: number): Evidence {
  const rows = new Map<string, Evidence['rows'][number]>();
  for (const piece of all) {
    const bytes = rowOf(piece, begin);
    if (bytes === undefined) continue;
    const isClockLost = piece.what === 'lost start';
    const received = readAt(piece, begin);
    const key = Buffer.from(bytes).toString('hex');
    const at = isClockLost ? Math.min(received, rows.get(key)?.at ?? received) : begin + piece.minute * MINUTE;
    rows.set(key, { kind: 'watering', at, isClockLost, readAt: received, bytes });
  }
  const sessions = new Map(
    all
      .filter(({ what }) => what === 'session')
      .map((piece) => [
        sessionId(piece),
        {
          ...{ sessionId: sessionId(piece), channel: piece.channel, sawStart: piece.sawStart, ended: piece.ended },
          startedAt: begin + piece.minute * MINUTE,
          endedAt: begin + (piece.minute + piece.minutes) * MINUTE,
          millilitres: piece.minutes * 2_000,
        },
      ]),
  );
  const boots = all.filter(({ what }) => what === 'boot').map((piece) => bootAt(piece, begin) + BOOT_STEP / 2);
  return { rows: [...rows.values()], sessions: [...sessions.values()], reboots: [...new Set(boots)] };
}

/** On a step of the store's, and far from other ones. */
function bootAt({ minute }: Told, begin: number): number {
  const at = begin + minute * MINUTE;
  return at - (at % (2 * BOOT_STEP));
}

describe('uploads of a garden', () => {
  it('come to the same runs and roll-ups as all of it at once, however split, ordered and repeated', async () => {
    const store = createTelemetryStore(backend.services);
    await fc.assert(
      fc.asyncProperty(history, async ({ all, owners, again, order, atOnce }) => {
        const garden = await newGarden(backend);
        const begin = beginning();
        const parts = [0, 1, 2, 3].map((owner) => all.filter((_, index) => owners[index] === owner));
        const repeated = again.map((indexes) => all.filter((_, index) => indexes.includes(index)));
        const uploads = [...parts, ...repeated]
          .map((pieces, index) => ({ pieces, place: order[index] ?? 0 }))
          .sort((one, other) => one.place - other.place);
        for (let first = 0; first < uploads.length; first += atOnce) {
          const answers = await Promise.all(
            uploads.slice(first, first + atOnce).map(({ pieces }) => garden.upload(bodyOf(pieces, begin))),
          );
          expect(answers.map(({ status, body }) => [status, body.refused_count])).toEqual(answers.map(() => [200, 0]));
        }

        const expected = runsOf(evidenceOf(all, begin));
        expect((await everyRun(garden, begin)).toSorted()).toEqual(expected.map(asRead).toSorted());
        const zones = [{ since: 0, zone: ZONE }];
        const { uid, hwId } = garden;
        if (!isUid(uid) || !isHwId(hwId)) throw new Error('not a garden');
        const stored = await store.rollUps(uid, hwId, monthOf(begin - DAY), monthOf(begin + 30 * DAY));
        for (const { month, data } of stored) {
          const stretch = { from: startOfMonth(month), to: startOfMonth(monthAfter(month)) };
          expect(unpackRollUp(stretch.from, data)).toEqual(rollUp(expected, zones, stretch));
        }
        const months = new Set(expected.map(({ startedAt }) => monthOf(startedAt)));
        expect([...months].filter((month) => !stored.some((item) => item.month === month))).toEqual([]);
      }),
      { numRuns: 8 },
    );
  });
});

const asRead = ({ runId, startedAt, endedAt, outcome, volume, restsOn }: Run) =>
  JSON.stringify([runId, startedAt, endedAt, outcome, volume.basis === 'unknown' ? null : volume.millilitres, restsOn]);

/** As the owner reads them, page by page. */
async function everyRun({ serial, headers }: Awaited<ReturnType<typeof newGarden>>, begin: number) {
  const runs: string[] = [];
  for (let cursor: string | undefined = ''; cursor !== undefined; ) {
    const query: string = `from=${begin - DAY}&to=${begin + 30 * DAY}&limit=9${cursor === '' ? '' : `&cursor=${cursor}`}`;
    const { body } = await backend.call(`/telemetry/devices/${serial}/runs?${query}`, { method: 'GET', headers });
    for (const run of body.runs) {
      const { run_id, started_at, ended_at, outcome, volume, rests_on } = run;
      runs.push(JSON.stringify([run_id, started_at, ended_at, outcome, volume.millilitres, rests_on]));
    }
    cursor = body.next_cursor;
  }
  return runs;
}
