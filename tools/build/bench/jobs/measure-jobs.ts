import { createApp } from '../../../../src/app.ts';
import { fetchFrom } from '../../../../src/http/adapters/fetch-adapter.ts';
import { createJobsFunction } from '../../../../src/jobs-function.ts';
import { createServices } from '../../../../src/services.ts';
import { mintToken } from '../../../run/local-stack/cognito/mint-token.ts';
import { DEPTHS, deviceHistory, type Read } from '../garden/device-history.ts';
import { withOurHandler } from '../peer/run-peer-benchmark.ts';
import { startMeteringProxy } from '../routes/metering-proxy.ts';
import { json } from '../scenarios/json.ts';
import { type AskJson, claimGardens } from './claim-gardens.ts';

const DAY_MS = 86_400_000;
const EVERY_MS = 5 * 60_000;
/** Invocations of a quiet hour. */
const IDLE = 12;
const FIRST_DAY = Date.UTC(2024, 0, 1);
const KINDS = ['rain_hourly', 'environment_hourly', 'rain_daily', 'environment_daily'] as const;

/** What some work consumed. */
export interface JobWork {
  readonly calls: number;
  readonly readUnits: number;
  readonly writeUnits: number;
  readonly cpuMicroseconds: number;
  readonly puts: number;
  readonly putBytes: number;
}

export interface JobsCost {
  readonly node: string;
  readonly devices: number;
  /** An hour in which there is nothing to do. */
  readonly idleHour: JobWork;
  /** Of all devices together, the day after each was read once: looking for insights and health. */
  readonly lookOfADay: JobWork;
  /** Archiving their first syncs, and then one day’s. */
  readonly archiveOfFirstDay: JobWork;
  readonly archiveOfADay: JobWork;
}

/** Measures what the function for work by time consumes, over devices that were read in full and then once more. */
export function measureJobs(
  directory: string,
  devices: number,
  signal: AbortSignal,
  onStep: (step: string) => void,
): Promise<JobsCost> {
  return withOurHandler(directory, signal, async ({ env, tokens }) => {
    const meter = await startMeteringProxy(env['AWS_ENDPOINT_URL_DYNAMODB'] ?? '');
    try {
      const variables = { ...env, AWS_ENDPOINT_URL_DYNAMODB: meter.url, LOG_LEVEL: 'SILENT' };
      // The SDK for S3 looks for its credentials there.
      Object.assign(process.env, variables);
      let behindMs = 2 * DAY_MS;
      const clock = { now: () => Date.now() - behindMs };
      const services = createServices(variables, { clock });
      let [puts, putBytes] = [0, 0];
      const objectStore: typeof services.objectStore = {
        ...services.objectStore,
        async put(key, bytes, contentType) {
          puts += 1;
          putBytes += bytes.byteLength;
          await services.objectStore.put(key, bytes, contentType);
        },
      };
      const run = createJobsFunction({ ...services, objectStore });
      const app = fetchFrom(createApp(services));
      const ask: AskJson = async (path, headers, body) => {
        const answer = await app(new Request(`http://localhost${path}`, json(headers, body)));
        if (answer.status >= 300) throw new Error(`POST ${path} answered ${answer.status}: ${await answer.text()}`);
        return answer.json();
      };
      const costOf = async (work: () => Promise<unknown>): Promise<JobWork> => {
        const before = { ...meter.total(), puts, putBytes };
        const cpu = process.cpuUsage();
        await work();
        const { user, system } = process.cpuUsage(cpu);
        const after = { ...meter.total(), puts, putBytes };
        const spent = (name: keyof typeof after) => after[name] - before[name];
        return {
          ...{ calls: spent('calls'), readUnits: spent('readUnits'), writeUnits: spent('writeUnits') },
          ...{ cpuMicroseconds: user + system, puts: spent('puts'), putBytes: spent('putBytes') },
        };
      };

      onStep('first syncs');
      const headersOf = (index: number) => ({
        Authorization: `Bearer ${mintToken({ email: `jobs-${index}@example.com` })}`,
      });
      const gardens = await claimGardens(ask, devices, headersOf, { 'x-factory-token': tokens.factoryToken });
      const sync = async (from: (kind: (typeof KINDS)[number], now: number) => number) => {
        const now = clock.now();
        for (const [index, { serial, headers }] of gardens.entries()) {
          const history = deviceHistory(index);
          const reads: readonly Read[] = [
            ...history.watering(now),
            ...KINDS.map((kind) => history.measurements(kind, from(kind, now), now, now)),
          ];
          const body = { serial, sent_at: now, reads: reads.map(({ count: _count, ...read }) => read) };
          await ask('/telemetry', headers, body);
        }
      };
      await sync((kind, now) => Math.max(FIRST_DAY, now - DEPTHS[kind] * DAY_MS));
      behindMs = DAY_MS;
      onStep('a day later');
      await run({ job: 'telemetry-look' });
      const archiveOfFirstDay = await costOf(() => run({ job: 'telemetry-archive' }));
      await sync((kind, now) => now - (kind.endsWith('daily') ? 2 : 1) * DAY_MS);
      behindMs = 0;
      onStep('the jobs of a day');
      const lookOfADay = await costOf(() => run({ job: 'telemetry-look' }));
      const archiveOfADay = await costOf(() => run({ job: 'telemetry-archive' }));
      onStep('a quiet hour');
      await run({});
      const idleHour = await costOf(async () => {
        for (let invocation = 0; invocation < IDLE; invocation += 1) {
          behindMs -= EVERY_MS;
          await run({});
        }
      });
      return { node: process.version, devices, idleHour, lookOfADay, archiveOfFirstDay, archiveOfADay };
    } finally {
      await meter.stop();
    }
  });
}
