import { CHANNELS, Diagnostics, FIRST_TRUSTED_EPOCH_S } from '@autowatering/device-data';
import { AttError } from '../garden/gatt/att-error.ts';
import type { Characteristic } from '../garden/gatt/characteristics.ts';
import { EnvironmentRows } from './environment-rows.ts';
import type { GardenReach } from './garden-reach.ts';
import { type Gathering, newWateringRows, type ReadingKind } from './gathering.ts';
import { HistoryAnswers, HistoryError, type Span } from './history-answers.ts';
import { readRainRows } from './rain-rows.ts';
import type { MeasurementKind } from './row-bytes.ts';
import { RunWatch } from './run-watch.ts';
import type { SyncCursor } from './sync-cursor.ts';
import { readWateringRows } from './watering-rows.ts';

export interface GardenVisitOptions {
  readonly reach: GardenReach;
  /** From where on the account needs rows. */
  readonly cursor: SyncCursor;
  /** What is learned, as it is learned. */
  readonly into: Gathering;
  /** Unique for this connection. */
  readonly visitId: string;
  /** What the visitor does once all is read. Default: it leaves. */
  readonly stay?: ((watch: RunWatch) => Promise<void>) | undefined;
}

const DAY_MS = 24 * 60 * 60 * 1000;
const RTC_ERROR = 4;
/** `def3`, `def2`, `defd`, `de15`, `de13` and `deff`: what is polled, since the device does not tell it by itself. */
const STATE = [
  ['def3', 'status'],
  ['defd', 'diagnostics'],
  ['de15', 'environment'],
  ['de13', 'rain'],
  ['def2', 'flow'],
  ['deff', 'task'],
] as const satisfies readonly (readonly [Characteristic, ReadingKind])[];
/** What comes by itself while somebody is subscribed. An alarm is kept only then (device sheet, §0.4). */
const PUSHED = [
  ['defa', 'alarm'],
  ['def1', 'valve'],
  ['def3', 'status'],
  ['deff', 'task'],
] as const satisfies readonly (readonly [Characteristic, ReadingKind])[];

/**
 * One connection to a device's garden: subscribes, reads its state and its history as the device sheet advises, and watches
 * the run that goes on. What a question about one kind of history comes to does not keep the others from being read.
 *
 * @returns what could not be read, by kind
 * @throws LinkLostError when the connection ends; what was gathered until then is whole
 */
export async function visitGarden({ reach, cursor, into, visitId, stay }: GardenVisitOptions) {
  const watch = new RunWatch();
  const keepSessions = () => {
    for (const run of watch.take()) {
      into.sessions.push({ ...run, sessionId: `${visitId}.${run.channel}.${run.startedAt}` });
    }
  };
  try {
    const histories = await subscribe();
    const state = await readState();
    const failures = await readHistories(histories, state.get('def3')?.[0] === RTC_ERROR);
    await stay?.(watch);
    return failures;
  } finally {
    watch.lost();
    keepSessions();
  }

  async function subscribe() {
    const { gatt } = reach;
    for (const [characteristic, kind] of PUSHED) {
      await gatt.subscribe(characteristic, (bytes) => {
        into.addReading({ kind, readAt: reach.now(), bytes });
        if (characteristic === 'deff') watch.task(bytes, reach.now());
        keepSessions();
      });
    }
    const watering = await HistoryAnswers.open(reach, 'defc', (message) => watch.notice(message));
    const rain = await HistoryAnswers.open(reach, 'de14');
    return { watering, rain, environment: await EnvironmentRows.open(reach) };
  }

  async function readState(): Promise<ReadonlyMap<Characteristic, Uint8Array>> {
    const { gatt } = reach;
    const state = new Map<Characteristic, Uint8Array>();
    for (const [characteristic, kind] of STATE) {
      const bytes = await unlessRefused(gatt.read(characteristic));
      if (bytes === undefined) continue;
      state.set(characteristic, bytes);
      into.addReading({ kind, readAt: reach.now(), bytes });
      if (characteristic === 'deff') watch.task(bytes, reach.now());
    }
    const diagnostics = state.get('defd');
    const uptimeMin = diagnostics && Diagnostics.read(diagnostics)?.uptime_min;
    if (uptimeMin !== undefined) into.uptime = { uptimeMs: uptimeMin * 60_000, readAt: reach.now() };
    return state;
  }

  /** Locks and anomalies of the whole device, and of the channels that were ever watered. */
  async function readHydraulics(channels: ReadonlySet<number>): Promise<void> {
    const { gatt } = reach;
    for (const channel of channels) {
      const bytes = await unlessRefused(gatt.write('de22', Uint8Array.of(channel)).then(() => gatt.read('de22')));
      if (bytes !== undefined) into.addReading({ kind: 'hydraulic', readAt: reach.now(), bytes });
    }
  }

  async function readHistories(
    { watering, rain, environment }: Awaited<ReturnType<typeof subscribe>>,
    isClockLost: boolean,
  ): Promise<readonly string[]> {
    const failures: string[] = [];
    const attempt = async (kind: string, work: () => Promise<void>) => {
      try {
        await work();
      } catch (error) {
        if (!(error instanceof HistoryError || error instanceof AttError)) throw error;
        failures.push(`${kind}: ${error.message}`);
      }
    };
    // What locks the whole device is told with each channel.
    const watered = new Set([0]);
    for (let channel = 0; channel < CHANNELS; channel += 1) {
      await attempt(`watering ${channel}`, async () => {
        const rows = await readWateringRows(watering, channel);
        if (rows.byteLength > 0) watered.add(channel);
        const newest = cursor.watering[channel] ?? null;
        into.addRead({ kind: 'watering', channel, readAt: reach.now(), rows: newWateringRows(rows, newest) });
      });
    }
    await readHydraulics(watered);
    const measured = async (kind: MeasurementKind, read: (span: Span) => Promise<Uint8Array>) => {
      await attempt(kind, async () => {
        const fromAt = cursor[kind];
        const rows = await read(spanFrom(fromAt ?? 0, reach.now()));
        into.addRead({ kind, readAt: reach.now(), rows, ...(fromAt !== null && { fromAt }) });
        // A device that has lost its clock writes rows of 2023, which no cursor reaches.
        if (!isClockLost || fromAt === null) return;
        const lost = await read({ fromS: 0, untilS: FIRST_TRUSTED_EPOCH_S - 1 });
        into.addRead({ kind, readAt: reach.now(), rows: lost });
      });
    };
    for (const kind of ['rain_hourly', 'rain_daily'] as const) {
      await measured(kind, (span) => readRainRows(rain, kind, span));
    }
    for (const kind of ['environment_hourly', 'environment_daily'] as const) {
      await measured(kind, (span) => environment.read(kind, span));
    }
    return failures;
  }
}

/** The device's clock may be a day ahead before it is not believed. */
function spanFrom(fromAt: number, now: number): Span {
  return { fromS: Math.floor(fromAt / 1000), untilS: Math.floor((now + DAY_MS) / 1000) };
}

/** An older firmware may lack a characteristic: the others are read all the same. */
async function unlessRefused(read: Promise<Uint8Array>): Promise<Uint8Array | undefined> {
  try {
    return await read;
  } catch (error) {
    if (error instanceof AttError) return undefined;
    throw error;
  }
}
