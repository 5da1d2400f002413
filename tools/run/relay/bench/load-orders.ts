import * as z from 'zod';

/** Where a load goes. */
export const LoadTarget = z.object({ apiUrl: z.string(), relayUrl: z.string() });
export type LoadTarget = z.output<typeof LoadTarget>;

/** Deliveries that are not counted, in ten seconds: engines compile the code that they run most. */
export const WARM_UP_EVENTS = 200;

/** What the load process is asked to do. */
export const LoadOrder = z.discriminatedUnion('work', [
  /** Connects peers, two per account, and keeps them connected until the process ends. */
  z.object({ work: z.literal('connect'), peers: z.number() }),
  /** One peer publishes, another of its account receives. */
  z.object({ work: z.literal('latency'), events: z.number() }),
  /** Each of many accounts publishes event after event. `peers`: 1, or 2 for a second one that receives them. */
  z.object({
    work: z.literal('singles'),
    accounts: z.number(),
    peers: z.number(),
    seconds: z.number(),
    /** Of the same load before, not counted for the same reason. */
    warmUpSeconds: z.number(),
  }),
  /** Each of many accounts publishes 80 events in frames of 20. */
  z.object({ work: z.literal('batches'), accounts: z.number() }),
  /** The peers of one account fill a stream, then one reads it from its start. */
  z.object({ work: z.literal('replay'), events: z.number() }),
]);
export type LoadOrder = z.output<typeof LoadOrder>;

export const Connected = z.object({ peers: z.number(), seconds: z.number() });
export const Latency = z.object({ events: z.number(), p50: z.number(), p99: z.number() });
export const Rate = z.object({ events: z.number(), seconds: z.number(), perSecond: z.number() });
export const Replayed = z.object({ events: z.number(), seconds: z.number() });

/** What the load process says. */
export const LoadMessage = z.union([
  z.object({ done: z.number() }),
  z.object({ result: z.unknown() }),
  z.object({ failed: z.string() }),
]);
