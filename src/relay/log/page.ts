import { MAX_PAGE_BYTES, type RelayEvent } from '@autowatering/relay-protocol';
import type { Epoch } from '../names.ts';

export interface ResetOutcome {
  readonly outcome: 'reset';
  readonly epoch: Epoch;
  readonly head: number;
  readonly oldest: number;
}

/** What asking for a page leads to. */
export type PageOutcome =
  | {
      readonly outcome: 'page';
      readonly epoch: Epoch;
      /** The stream's; of a snapshot, when its first page was read. */
      readonly head: number;
      readonly events: readonly RelayEvent[];
      readonly continuation?: string;
    }
  | ResetOutcome
  | { readonly outcome: 'not_found' }
  | { readonly outcome: 'bad_continuation' };

/** Of one page, whose events may all have expired. */
export const MOST_READS = 20;
/** Everything of a page but its events. */
const ENVELOPE_BYTES = 1_024;

/** Collects events until there are enough, or until they would not fit into one message. */
export function createPage(most: number) {
  const events: RelayEvent[] = [];
  let bytes = ENVELOPE_BYTES;
  let isFull = false;
  return {
    events,
    get isFull() {
      return isFull;
    },
    /** Returns the seq of the last event that was taken if not all were. */
    add(more: readonly RelayEvent[]): number | undefined {
      for (const [index, event] of more.entries()) {
        const size = Buffer.byteLength(JSON.stringify(event)) + 1;
        if (events.length >= most || (bytes + size > MAX_PAGE_BYTES && events.length > 0)) {
          isFull = true;
          return more[index - 1]?.seq ?? event.seq - 1;
        }
        events.push(event);
        bytes += size;
      }
      return undefined;
    },
  };
}
