import type { Json, NewEvent, RelayEvent } from '@autowatering/relay-protocol';

/** Somebody else was faster. */
export interface Conflict {
  readonly stream: string;
  readonly mine: NewEvent;
  /** Null if the event that won is gone by now. */
  readonly winner: RelayEvent | null;
  readonly seq: number;
}

/** What to publish instead, on top of the winner. */
export interface Merged {
  readonly payload: Json;
  readonly type?: string;
}

/** Merges an event with the one that was published first; undefined gives it up. */
export type Merge = (conflict: Conflict) => Merged | undefined | Promise<Merged | undefined>;
