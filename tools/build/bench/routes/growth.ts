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

/** What a handler's process holds after garbage collection, again and again, from the end of a warm-up of the same length. */
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
 * Bytes that each request left on the heap: the smallest growth between two samples. A leak grows in every stretch; caches
 * that fill up and code that is compiled do so in some.
 */
export function leakedBytes(samples: readonly MemorySample[]): number {
  const growths = samples.slice(1).map(({ heapUsed, requests }, index) => {
    const before = samples[index];
    return before === undefined ? Number.NaN : (heapUsed - before.heapUsed) / (requests - before.requests);
  });
  return Math.min(...growths);
}
