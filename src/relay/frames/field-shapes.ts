import {
  EVENT_ID,
  EVENT_TYPE,
  fromBase64Url,
  type Json,
  MAX_KEY_CHARACTERS,
  MAX_PAYLOAD_BYTES,
  MAX_RETENTION_DAYS,
  STREAM_NAME,
} from '@autowatering/relay-protocol';
import { exactFields, optional, type Shape, ShapeError, textThat, wholeNumber } from '../../platform/shapes.ts';

/*
 * The same fields as in `fields.ts`, read without the schema library, which a container would load for its first frame
 * (ADR 120). A test holds the two equal.
 */

/** Bytes of one length, as base64url without padding. */
export function bytesText(length: number): Shape<string> {
  const characters = Math.ceil((length * 4) / 3);
  return textThat(
    (text) => text.length === characters && fromBase64Url(text)?.byteLength === length,
    `${length} bytes as base64url without padding`,
  );
}

/** Text in this form. */
export function matching(form: RegExp, expected: string): Shape<string> {
  return textThat((text) => form.test(text), expected);
}

export const count = wholeNumber(0);
export const stream = matching(STREAM_NAME, 'the name of a stream');
export const epoch = matching(/^[\w-]{1,40}$/, 'an epoch');
export const continuation = textThat((text) => text.length >= 1 && text.length <= 1_024, 'a continuation');

const DAY_SECONDS = 24 * 60 * 60;
const PRINTABLE = new RegExp(`^[^\\p{Cc}\\p{Cs}]{1,${MAX_KEY_CHARACTERS}}$`, 'u');

/** Of parsed JSON whose bounds were checked (`json-bounds.ts`). */
const payload: Shape<Json> = (value, at) => {
  if (isJson(value) && Buffer.byteLength(JSON.stringify(value)) <= MAX_PAYLOAD_BYTES) return value;
  throw new ShapeError([{ place: at ?? '', expected: `JSON of up to ${MAX_PAYLOAD_BYTES} bytes` }]);
};

function isJson(value: unknown): value is Json {
  return value !== undefined;
}

export const newEvent = exactFields({
  event_id: matching(EVENT_ID, 'an id of an event'),
  type: matching(EVENT_TYPE, 'a type of events'),
  payload,
  sent_at: count,
  key: optional(matching(PRINTABLE, 'printable text')),
  ttl_seconds: optional(wholeNumber(1, MAX_RETENTION_DAYS * DAY_SECONDS)),
});
