import type { GatewayEvent } from '../peer/gateway-event.ts';
import type { HandlerProcess } from '../peer/handler-process.ts';

export interface MemorySample {
  readonly requests: number;
  readonly heapUsed: number;
  readonly rss: number;
}

export interface SampleOptions {
  readonly events: readonly GatewayEvent[];
  readonly atOnce: number;
  /** Requests before each sample. */
  readonly every: number;
  readonly samples: number;
}

/** Samples a handler's memory after garbage collection, starting after a warm-up of the same length. */
export async function sampleMemory(
  handler: HandlerProcess,
  { events, atOnce, every, samples }: SampleOptions,
  onSample: (sample: MemorySample) => void = () => {},
): Promise<readonly MemorySample[]> {
  const taken: MemorySample[] = [];
  for (let turn = 0; turn <= samples; turn += 1) {
    const { heapUsed, rss } = await handler.memory({ events, atOnce, requests: every });
    const sample = { requests: turn * every, heapUsed, rss };
    taken.push(sample);
    onSample(sample);
  }
  return taken;
}

/**
 * Returns the bytes that each request left on the heap: the smallest growth between two samples. A leak grows in every
 * interval; filling caches and compiled code grow only in some.
 */
export function leakedBytes(samples: readonly MemorySample[]): number {
  const growths = samples.slice(1).map(({ heapUsed, requests }, index) => {
    const before = samples[index];
    return before === undefined ? Number.NaN : (heapUsed - before.heapUsed) / (requests - before.requests);
  });
  return Math.min(...growths);
}
