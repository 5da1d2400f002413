import type * as z from 'zod';
import { bytesInUse } from '../../../cli/heap.ts';
import type { ProgressDisplay } from '../../../cli/terminal/progress-display.ts';
import { startStack } from '../../local-stack/stack.ts';
import { Connected, Latency, Rate, Replayed } from './load-orders.ts';
import { type LoadProcess, startLoad } from './load-process.ts';

export const MEASUREMENTS = ['latency', 'singles', 'batches', 'replay', 'connections'] as const;
export type Measurement = (typeof MEASUREMENTS)[number];

export interface SpeedOptions {
  readonly directory: string;
  readonly only: ReadonlySet<Measurement>;
  readonly connections: number;
  readonly latencyEvents: number;
  readonly singleAccounts: number;
  readonly singleSeconds: number;
  /** Of single events before those that count. */
  readonly warmUpSeconds: number;
  readonly batchAccounts: number;
  readonly replayEvents: number;
}

export interface RelaySpeed {
  readonly node: string;
  readonly latency?: z.output<typeof Latency>;
  /** Single-event publishes: of accounts whose peer is alone, and with another peer that receives them. */
  readonly singles?: { readonly alone: z.output<typeof Rate>; readonly delivered: z.output<typeof Rate> };
  readonly batches?: z.output<typeof Rate>;
  readonly replay?: z.output<typeof Replayed>;
  /** Bytes of the gateway's process per connection. */
  readonly connections?: z.output<typeof Connected> & { readonly heapBytes: number; readonly rssBytes: number };
}

/** Measures the relay of a local stack that it starts for this, by peers in another process. */
export async function measureSpeed(
  options: SpeedOptions,
  display: ProgressDisplay,
  signal: AbortSignal,
): Promise<RelaySpeed> {
  const stack = await display.during('Starting a stack', () =>
    startStack({
      directory: options.directory,
      ...{ fresh: true, ownPorts: true, isUnderLoad: true, signal },
      // As in production.
      env: { CHECK_RESPONSES: 'false', LOG_LEVEL: 'ERROR' },
    }),
  );
  const { apiBaseUrl: apiUrl, relay } = stack.info;
  try {
    const load = startLoad({ apiUrl, relayUrl: relay.url }, signal);
    try {
      return await measure(options, load, display);
    } finally {
      load.stop();
    }
  } finally {
    await stack.stop();
  }
}

async function measure(options: SpeedOptions, load: LoadProcess, display: ProgressDisplay): Promise<RelaySpeed> {
  const { only, latencyEvents, singleAccounts, singleSeconds, warmUpSeconds } = options;
  const { batchAccounts, replayEvents, connections } = options;
  const part = async <T>(name: Measurement, work: () => Promise<T>) => (only.has(name) ? { [name]: await work() } : {});
  const singles = (peers: 1 | 2) =>
    display.during(`Single events of ${singleAccounts} accounts, ${peers === 1 ? 'alone' : 'with delivery'}`, () =>
      load.run({ work: 'singles', accounts: singleAccounts, peers, seconds: singleSeconds, warmUpSeconds }, Rate),
    );
  return {
    node: process.version,
    ...(await part('latency', () =>
      display.bar('Publish to delivery', latencyEvents, (advanced) =>
        load.run({ work: 'latency', events: latencyEvents }, Latency, advanced),
      ),
    )),
    ...(await part('singles', async () => ({ alone: await singles(1), delivered: await singles(2) }))),
    ...(await part('batches', () =>
      display.bar(`Frames of 20 of ${batchAccounts} accounts`, batchAccounts, (advanced) =>
        load.run({ work: 'batches', accounts: batchAccounts }, Rate, advanced),
      ),
    )),
    ...(await part('replay', () =>
      display.bar(`Replay of ${replayEvents} events`, replayEvents, (advanced) =>
        load.run({ work: 'replay', events: replayEvents }, Replayed, advanced),
      ),
    )),
    ...(await part('connections', async () => {
      const before = { heap: bytesInUse(), rss: process.memoryUsage.rss() };
      const connected = await display.bar(`${connections} connections`, connections, (advanced) =>
        load.run({ work: 'connect', peers: connections }, Connected, advanced),
      );
      const after = { heap: bytesInUse(), rss: process.memoryUsage.rss() };
      return {
        ...connected,
        heapBytes: (after.heap - before.heap) / connected.peers,
        rssBytes: (after.rss - before.rss) / connected.peers,
      };
    })),
  };
}
