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
import * as z from 'zod';
import { jsonFault } from './json-bounds.ts';

/** Bytes of one length, as base64url without padding. */
export function bytesField(length: number) {
  return z
    .string()
    .length(Math.ceil((length * 4) / 3))
    .regex(/^[\w-]*$/)
    .refine((text) => fromBase64Url(text)?.byteLength === length, 'base64url without padding')
    .describe(`${length} bytes as base64url without padding`);
}

export const Count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
export const Time = Count.describe('Milliseconds since 1970');
export const FrameIdField = Count.describe('Chosen by the client; the answer repeats it');
export const Stream = z.string().regex(STREAM_NAME).describe('A stream of the account, by name');
export const EpochField = z
  .string()
  .regex(/^[\w-]{1,40}$/)
  .describe("The stream's epoch that the numbers belong to");
export const Continuation = z.string().min(1).max(1_024).describe('From the page before');
export const PeerIdField = z
  .string()
  .regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
  .describe('A UUID in lower case');

const DAY_SECONDS = 24 * 60 * 60;
const PRINTABLE = new RegExp(`^[^\\p{Cc}\\p{Cs}]{1,${MAX_KEY_CHARACTERS}}$`, 'u');

/** Any JSON within the bounds of `json-bounds.ts`, which a whole frame is held to before it gets here. */
const Payload = z
  .custom<Json>(
    (value) =>
      value !== undefined &&
      jsonFault(value) === undefined &&
      Buffer.byteLength(JSON.stringify(value)) <= MAX_PAYLOAD_BYTES,
  )
  .describe(`Any JSON of up to ${MAX_PAYLOAD_BYTES / 1024} KiB`);

export const NewEventFields = z.strictObject({
  event_id: z.string().regex(EVENT_ID).describe('Random, chosen by the author'),
  type: z.string().regex(EVENT_TYPE).describe('What kind of event it is, for the application'),
  payload: Payload,
  sent_at: Time.describe("The author's clock when it was sent: milliseconds since 1970"),
  key: z.string().regex(PRINTABLE).exactOptional().describe('What the event is about, such as a zone'),
  ttl_seconds: z
    .number()
    .int()
    .min(1)
    .max(MAX_RETENTION_DAYS * DAY_SECONDS)
    .exactOptional()
    .describe("The event expires this long after the server's receipt"),
});
