import { type Bench, withOurHandler } from '../peer/run-peer-benchmark.ts';
import { createWorld } from './bench-world.ts';
import { leakedBytes, type MemorySample, sampleMemory } from './growth.ts';
import { ENDLESS_PLANS } from './measure-routes.ts';
import { routeRequests } from './route-requests.ts';

export interface MemoryResult {
  readonly node: string;
  /** Kinds of requests; some routes have two. */
  readonly kinds: number;
  readonly samples: readonly MemorySample[];
  readonly leakedBytesPerRequest: number;
}

/** Few, because photos are large. Refused or not, every request goes through the whole path. */
const EVENTS_EACH = 40;
const AT_ONCE = 8;
const SAMPLES = 5;

/** Sends requests to every route in turn to one process and samples its memory. */
export function measureMemory(
  directory: string,
  requests: number,
  signal: AbortSignal,
  onStep: (step: string) => void,
): Promise<MemoryResult> {
  const work = async ({ ours, tokens, engines }: Bench): Promise<MemoryResult> => {
    onStep('preparing users, devices and releases');
    const all = routeRequests(await createWorld(ours, tokens, engines.stripe, 0), tokens);
    const lists = all.map((route) => route.events(0, EVENTS_EACH));
    const events = Array.from({ length: EVENTS_EACH }, (_, index) =>
      lists.flatMap((list) => (list[index] === undefined ? [] : [list[index]])),
    ).flat();
    const every = Math.ceil(requests / SAMPLES);
    const samples = await sampleMemory(ours, { events, atOnce: AT_ONCE, every, samples: SAMPLES }, (sample) => {
      signal.throwIfAborted();
      onStep(`${sample.requests} requests: heap ${megabytes(sample.heapUsed)}, RSS ${megabytes(sample.rss)}`);
    });
    return { node: process.version, kinds: all.length, samples, leakedBytesPerRequest: leakedBytes(samples) };
  };
  return withOurHandler(directory, signal, work, ENDLESS_PLANS);
}

export function memoryTable({ kinds, samples, leakedBytesPerRequest }: MemoryResult): string {
  const [first, last] = [samples[0], samples.at(-1)];
  const whole =
    first === undefined || last === undefined ? Number.NaN : (last.heapUsed - first.heapUsed) / last.requests;
  return [
    `Requests of ${kinds} kinds to all routes in turn, after a warm-up; sizes after garbage collection.`,
    ...samples.map(
      ({ requests, heapUsed, rss }) =>
        `${String(requests).padStart(9)} requests: heap ${megabytes(heapUsed)}, RSS ${megabytes(rss)}`,
    ),
    `Heap growth: ${whole.toFixed(0)} bytes per request overall, ${leakedBytesPerRequest.toFixed(0)} in the interval with the least`,
  ].join('\n');
}

function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}
