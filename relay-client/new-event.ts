import {
  EVENT_ID,
  EVENT_TYPE,
  type Json,
  MAX_KEY_CHARACTERS,
  MAX_PAYLOAD_BYTES,
  type NewEvent,
  STREAM_NAME,
  utf8,
} from '@autowatering/relay-protocol';
import { RelayError } from './errors.ts';

/** An event as the application describes it. */
export interface EventDraft {
  readonly type: string;
  readonly payload: Json;
  /** What it is about: the newest event of each key is the snapshot. */
  readonly key?: string;
  /** How long it is worth delivering. */
  readonly ttl_seconds?: number;
  /** A random one by default. */
  readonly event_id?: string;
}

/**
 * Checks at once what the server would refuse later.
 *
 * @throws RelayError `malformed` or `too_large`
 */
export function newEvent(stream: string, draft: EventDraft, sentAt: number): NewEvent {
  const { type, payload, key, ttl_seconds, event_id = crypto.randomUUID() } = draft;
  const wrong = (what: string) => new RelayError('malformed', what);
  if (!STREAM_NAME.test(stream)) throw wrong(`“${stream}” is no name of a stream.`);
  if (!EVENT_TYPE.test(type)) throw wrong(`“${type}” is no type of an event.`);
  if (!EVENT_ID.test(event_id)) throw wrong('An event_id has 1 to 64 letters, digits, hyphens and underscores.');
  if (key !== undefined && (key === '' || [...key].length > MAX_KEY_CHARACTERS || !key.isWellFormed())) {
    throw wrong(`A key has 1 to ${MAX_KEY_CHARACTERS} characters.`);
  }
  if (ttl_seconds !== undefined && !(Number.isInteger(ttl_seconds) && ttl_seconds > 0)) {
    throw wrong('ttl_seconds is a whole number above 0.');
  }
  const json: string | undefined = JSON.stringify(payload);
  if (json === undefined) throw wrong('A payload is JSON.');
  // JSON.stringify escapes what is not well formed, so that it has to be looked for in its escaped form.
  if (/\\ud[89a-f]/.test(json)) throw wrong('Text has to be well-formed Unicode.');
  if (utf8(json).length > MAX_PAYLOAD_BYTES) {
    throw new RelayError('too_large', `A payload has at most ${MAX_PAYLOAD_BYTES} bytes.`);
  }
  return {
    event_id,
    type,
    // As it is now: the application may go on changing its object.
    payload: JSON.parse(json),
    sent_at: sentAt,
    ...(key === undefined ? {} : { key }),
    ...(ttl_seconds === undefined ? {} : { ttl_seconds }),
  };
}
