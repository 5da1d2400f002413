import * as z from 'zod';
import type { GatewayEvent } from './gateway-events.ts';

const FailedPosts = z.object({
  status: z.union([z.literal(403), z.literal(410), z.literal(429), z.literal(500), z.literal(503)]),
  times: z.number().int().positive().optional(),
});

/** What can be set from another process: `PUT /_manners` sets all of them, and `{}` restores good manners. */
export const Manners = z.object({
  /**
   * How frames of one connection reach the function: each after the answer to the one before; at once, as they come; or
   * those that come within a few milliseconds together, in random order.
   */
  order: z.enum(['in-turn', 'at-once', 'shuffled']).default('in-turn'),
  /** `$disconnect` never comes. */
  losesDisconnects: z.boolean().default(false),
  failPosts: FailedPosts.optional(),
  delayPostsMs: z.number().min(0).max(60_000).default(0),
  /** Kills the function for this share of the frames, before it starts or before it answers. */
  killShare: z.number().min(0).max(1).default(0),
});

/** How API Gateway may behave, and sometimes does. */
export interface GatewayManners extends z.output<typeof Manners> {
  /** Which invocations are killed: before the function has begun, or after its work but before its answer. */
  readonly kill?: (event: GatewayEvent) => 'before' | 'after' | undefined;
  /** For shuffling, and which frames are killed: a number in [0, 1). */
  readonly random: () => number;
}

export const GOOD_MANNERS: GatewayManners = { ...Manners.parse({}), random: Math.random };
