import { performance } from 'node:perf_hooks';
import { percentile } from './statistics.ts';

export interface Load {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly requests: number;
}

const WARM_UP_MS = 300;
const MEASURE_MS = 1_500;

/** Calls back to back with `atOnce` calls in flight, for a fixed time. */
export async function putUnderLoad(call: () => Promise<void>, atOnce: number): Promise<Load> {
  await repeat(call, atOnce, WARM_UP_MS);
  const started = performance.now();
  const times = await repeat(call, atOnce, MEASURE_MS);
  const seconds = (performance.now() - started) / 1000;
  return {
    perSecond: times.length / seconds,
    p50Ms: percentile(times, 0.5),
    p99Ms: percentile(times, 0.99),
    requests: times.length,
  };
}

async function repeat(call: () => Promise<void>, atOnce: number, ms: number): Promise<number[]> {
  const end = performance.now() + ms;
  const times: number[] = [];
  const worker = async () => {
    while (performance.now() < end) {
      const started = performance.now();
      await call();
      times.push(performance.now() - started);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return times;
}
