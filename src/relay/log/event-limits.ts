import {
  EVENT_ID,
  EVENT_TYPE,
  type Json,
  MAX_CLOCK_SKEW_MS,
  MAX_EVENTS_PER_PUBLISH,
  MAX_KEY_CHARACTERS,
  MAX_PAYLOAD_BYTES,
  MAX_RETENTION_DAYS,
  type NewEvent,
} from '@autowatering/relay-protocol';

/** Why events can't be published. */
export type EventFault =
  | { readonly outcome: 'malformed'; readonly message: string }
  /** `sent_at` is too far from our time. */
  | { readonly outcome: 'clock_skew'; readonly time: number };

const MOST_LEVELS = 32;
const MAX_TTL_SECONDS = MAX_RETENTION_DAYS * 24 * 60 * 60;
/** Also keeps a key's item far below DynamoDB's limit for keys. */
const MAX_KEY_BYTES = 512;
const CONTROL = /\p{Cc}/u;

/** Checks what a publish may contain; undefined if nothing is wrong. */
export function eventFault(
  { clientSeq, ifSeq, events }: { clientSeq: number; ifSeq?: number | undefined; events: readonly NewEvent[] },
  now: number,
): EventFault | undefined {
  if (!Number.isSafeInteger(clientSeq) || clientSeq < 1) return malformed('client_seq must be a whole number from 1');
  if (ifSeq !== undefined && (!Number.isSafeInteger(ifSeq) || ifSeq < 0)) {
    return malformed('if_seq must be a whole number from 0');
  }
  if (events.length < 1 || events.length > MAX_EVENTS_PER_PUBLISH) {
    return malformed(`a publish has 1 to ${MAX_EVENTS_PER_PUBLISH} events`);
  }
  for (const event of events) {
    const message = faultOf(event);
    if (message !== undefined) return malformed(message);
    if (!(Math.abs(event.sent_at - now) <= MAX_CLOCK_SKEW_MS)) return { outcome: 'clock_skew', time: now };
  }
  return undefined;
}

function malformed(message: string): EventFault {
  return { outcome: 'malformed', message };
}

function faultOf({ event_id, type, payload, key, ttl_seconds, sent_at }: NewEvent): string | undefined {
  if (!EVENT_ID.test(event_id)) return 'event_id must have 1 to 64 letters, digits, “-” or “_”';
  if (!EVENT_TYPE.test(type)) return 'type must have 1 to 64 lower-case letters, digits, “.”, “_” or “-”';
  if (!Number.isSafeInteger(sent_at)) return 'sent_at must be milliseconds since 1970';
  if (key !== undefined && !isKey(key)) return `key must have 1 to ${MAX_KEY_CHARACTERS} printable characters`;
  if (
    ttl_seconds !== undefined &&
    !(Number.isSafeInteger(ttl_seconds) && ttl_seconds >= 1 && ttl_seconds <= MAX_TTL_SECONDS)
  ) {
    return `ttl_seconds must be 1 to ${MAX_TTL_SECONDS}`;
  }
  return payloadFault(payload);
}

function isKey(key: string): boolean {
  if (key.length === 0 || !key.isWellFormed() || CONTROL.test(key)) return false;
  return [...key].length <= MAX_KEY_CHARACTERS && Buffer.byteLength(key) <= MAX_KEY_BYTES;
}

/** Level by level rather than by recursion: hostile payloads are nested deeper than the stack is. */
function payloadFault(payload: Json): string | undefined {
  let level: readonly Json[] = [payload];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > MOST_LEVELS) return `payload is nested deeper than ${MOST_LEVELS} levels`;
    const next: Json[] = [];
    for (const value of level) {
      if (typeof value === 'string' && !value.isWellFormed()) return 'payload has text that is no well-formed Unicode';
      if (typeof value !== 'object' || value === null) continue;
      if (!Array.isArray(value) && Object.keys(value).some((name) => !name.isWellFormed())) {
        return 'payload has text that is no well-formed Unicode';
      }
      next.push(...Object.values(value));
    }
    level = next;
  }
  const isTooLarge = Buffer.byteLength(JSON.stringify(payload)) > MAX_PAYLOAD_BYTES;
  return isTooLarge ? `payload has more than ${MAX_PAYLOAD_BYTES} bytes` : undefined;
}
