import { availableParallelism } from 'node:os';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { joinSummaries, NO_YEARS, type YearSummary } from '@autowatering/firmware-sim';
import { BUILD_CACHE, keptBuild } from '../../../cli/bundle/kept-build.ts';
import { liveThrough, type YearPart } from './year-part.ts';

export type WorkerMessage =
  | { readonly kind: 'progress'; readonly devices: number }
  | { readonly kind: 'done'; readonly summary: YearSummary; readonly devices: number };

/** Bundled once: a loader of TypeScript costs each worker seconds, and each function its name. */
const WORKER = 'tools/run/sim-fleet/year/year-worker.ts';
const MOST_WORKERS = 16;
/** A worker takes longer to start than these devices take to live. */
const WORTH_A_WORKER = 20;

export interface YearsOptions extends Omit<YearPart, 'from' | 'until'> {
  readonly devices: number;
  readonly onDevices: (done: number) => void;
  readonly signal: AbortSignal;
}

/** Lets a fleet live through its days, on all cores. Workers make it faster, and change nothing else. */
export async function liveYears({ devices, onDevices, signal, ...how }: YearsOptions): Promise<YearSummary> {
  const workers = Math.min(MOST_WORKERS, availableParallelism(), Math.ceil(devices / WORTH_A_WORKER));
  let done = 0;
  const advance = (count: number) => {
    done += count;
    onDevices(done);
  };
  if (workers === 1) return liveThrough({ ...how, from: 0, until: devices }, () => advance(1), signal);
  const bounds = Array.from({ length: workers + 1 }, (_, index) => Math.floor((devices * index) / workers));
  const parts = bounds.slice(1).map((until, index): YearPart => ({ ...how, from: bounds[index] ?? 0, until }));
  const script = await keptBuild(WORKER, path.join(BUILD_CACHE, 'year-worker'), {});
  const summaries = await Promise.all(parts.map((part) => inWorker(script, part, advance, signal)));
  return summaries.reduce(joinSummaries, NO_YEARS);
}

function inWorker(
  script: string,
  part: YearPart,
  advance: (count: number) => void,
  signal: AbortSignal,
): Promise<YearSummary> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(script, { workerData: part });
    const stop = () => {
      void worker.terminate();
      reject(signal.reason);
    };
    signal.addEventListener('abort', stop, { once: true });
    worker.on('message', (message: WorkerMessage) => {
      advance(message.devices);
      if (message.kind === 'done') resolve(message.summary);
    });
    worker.on('error', reject);
    worker.on('exit', (code) => {
      signal.removeEventListener('abort', stop);
      reject(new Error(`a part of the fleet ended with code ${code}`));
    });
  });
}
