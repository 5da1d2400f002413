import { setTimeout as delay } from 'node:timers/promises';
import {
  type CallOptions,
  type Confusion,
  confusionOf,
  createCalls,
  type DeviceYear,
  drawHousehold,
  FAULT_NAMES,
  litresOf,
  liveYear,
  type SaidInsight,
  type SaidLitres,
  type SaidRun,
  telemetryClient,
} from '@autowatering/firmware-sim';
import pMap from 'p-map';
import * as z from 'zod';
import type { OnlineDevice } from '../online-fleet.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
/** Insights are asked for in stretches: each is seen as it was at its end. */
const STRETCH_MS = 15 * DAY_MS;
const MOST_TRIES = 5;
const PAUSE_MS = 2_000;

const Insights = z.object({
  insights: z.array(
    z.object({
      ...{ insight_id: z.string(), kind: z.string(), channel: z.number().nullable() },
      ...{ since_at: z.number(), until_at: z.number().nullable() },
    }),
  ),
});
const Runs = z.object({
  runs: z.array(
    z.object({
      ...{ channel: z.number(), started_at: z.number(), outcome: z.string(), is_clock_lost: z.boolean() },
      volume: z.object({ basis: z.string(), millilitres: z.number().nullable(), is_minimum: z.boolean() }),
    }),
  ),
  next_cursor: z.string().optional(),
});

/** What the backend made of the sample's years, beside what was planted. */
export interface SampleReport {
  readonly devices: number;
  readonly uploads: number;
  readonly refusedRows: number;
  readonly confusion: Confusion;
  readonly litres: SaidLitres;
}

export interface SampleOptions {
  readonly devices: readonly OnlineDevice[];
  readonly seed: number;
  readonly days: number;
  readonly concurrency: number;
  readonly onDevice: () => void;
  readonly signal: AbortSignal;
}

/**
 * Lets devices live through the days until now, brings what their phones read to a backend, and asks it what it makes of
 * them. Each kind of fault is planted in turn; some devices have none.
 */
export async function sampleYears(options: SampleOptions): Promise<SampleReport> {
  const { devices, seed, days, concurrency, onDevice, signal } = options;
  const startsAt = Date.now() - days * DAY_MS;
  let uploads = 0;
  const lived = await pMap(
    devices,
    async ({ serial, calls }, index) => {
      const fault = FAULT_NAMES[index % (FAULT_NAMES.length + 2)] ?? 'none';
      const household = drawHousehold({ seed: seed * 1_000_003 + index, startsAt, days, fault });
      const client = telemetryClient(calls);
      const counting = {
        upload: (...args: Parameters<typeof client.upload>) => {
          uploads += 1;
          return client.upload(...args);
        },
      };
      const year = await liveYear({ household, days, serial, client: counting, pause, signal });
      const to = Math.min(Date.now(), startsAt + days * DAY_MS);
      const insights = await patiently(() => insightsOf(calls, serial, startsAt, to));
      const runs = await patiently(() => runsOf(calls, serial, startsAt, to));
      onDevice();
      return { year, insights, runs };
    },
    { concurrency, signal },
  );
  return {
    devices: lived.length,
    uploads,
    refusedRows: lived.reduce((sum, { year }: { year: DeviceYear }) => sum + year.refused, 0),
    confusion: confusionOf(lived),
    litres: litresOf(lived),
  };
}

const pause = () => delay(PAUSE_MS);

/** Asks again when a busy machine did not answer in time. */
async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await ask();
    } catch (error) {
      if (tries === MOST_TRIES) throw error;
      await pause();
    }
  }
}

/** Each insight as it was seen last. */
async function insightsOf(
  calls: CallOptions,
  serial: string,
  from: number,
  to: number,
): Promise<readonly SaidInsight[]> {
  const { call } = createCalls(calls);
  const found = new Map<string, SaidInsight>();
  for (let start = from; start < to; start += STRETCH_MS) {
    const query = new URLSearchParams({ from: String(start), to: String(Math.min(to, start + STRETCH_MS)) });
    const { insights } = await call(`/telemetry/devices/${serial}/insights?${query}`, Insights);
    for (const { insight_id: id, kind, channel, since_at: since, until_at: until } of insights) {
      found.set(id, { kind, channel, since, until });
    }
  }
  return [...found.values()];
}

async function runsOf(calls: CallOptions, serial: string, from: number, to: number): Promise<readonly SaidRun[]> {
  const { call } = createCalls(calls);
  const found: SaidRun[] = [];
  let cursor: string | undefined;
  do {
    const query: URLSearchParams = new URLSearchParams({
      ...{ from: String(from), to: String(to), limit: '100' },
      ...(cursor !== undefined && { cursor }),
    });
    const { runs, next_cursor: next } = await call(`/telemetry/devices/${serial}/runs?${query}`, Runs);
    for (const { channel, started_at: startedAt, outcome, is_clock_lost: isClockLost, volume } of runs) {
      const { basis, millilitres, is_minimum: isMinimum } = volume;
      found.push({ channel, startedAt, outcome, isClockLost, volume: { basis, millilitres, isMinimum } });
    }
    cursor = next;
  } while (cursor !== undefined);
  return found;
}
