import { MAX_EVENTS_PER_PUBLISH, utf8 } from '@autowatering/relay-protocol';
import type { OutboxEntry } from './outbox.ts';

/** For the frame around the events, with the longest names and numbers. */
const ENVELOPE_BYTES = 512;

/**
 * The entries at the front of a stream's queue that go into one frame. What was sent together is sent together again; a
 * condition stands for a single event.
 *
 * @param maxFrameBytes of a sealed frame
 */
export function nextBatch(queue: readonly OutboxEntry[], maxFrameBytes: number): readonly OutboxEntry[] {
  const [first] = queue;
  if (first === undefined) return [];
  if (first.sent !== undefined) {
    const { batch } = first.sent;
    const end = queue.findIndex(({ sent }) => sent?.batch !== batch);
    return queue.slice(0, end === -1 ? queue.length : end);
  }
  if (first.ifSeq !== undefined) return [first];
  // Sealing adds a third for base64url.
  let room = (maxFrameBytes - ENVELOPE_BYTES) * 0.75 - ENVELOPE_BYTES;
  const batch: OutboxEntry[] = [];
  for (const entry of queue.slice(0, MAX_EVENTS_PER_PUBLISH)) {
    room -= utf8(JSON.stringify(entry.event)).length + 1;
    if (entry.sent !== undefined || entry.ifSeq !== undefined || (room < 0 && batch.length > 0)) break;
    batch.push(entry);
  }
  return batch;
}
