import type { RelayEvent } from '@autowatering/relay-protocol';

/** Which event this is. */
export interface EventContext {
  readonly stream: string;
  readonly epoch: string;
  /** The newest event of its key, from a snapshot, which leaves out older ones. */
  readonly isSnapshot: boolean;
}

/** A stream began anew: what was learned from it before no longer counts. */
export interface StreamReset {
  readonly stream: string;
  readonly epoch: string;
  readonly head: number;
}

/** Receives each event once, in order; the next one comes when the promise is settled. */
export type EventHandler = (event: RelayEvent, context: EventContext) => void | Promise<void>;

export type Beginning = 'start' | 'snapshot' | 'now';

export interface SubscribeOptions {
  /**
   * Where to begin without a position, and after a reset: at the oldest event (`start`, the default), with the newest
   * event of each key (`snapshot`), or with what happens from now on (`now`).
   */
  readonly from?: Beginning;
  /** Called before the first event after a reset. */
  readonly onReset?: (reset: StreamReset) => void | Promise<void>;
}
