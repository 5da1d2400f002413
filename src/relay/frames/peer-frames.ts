import {
  KEY_BYTES,
  MAX_EVENTS_PER_PUBLISH,
  MAX_REPLAY_EVENTS,
  MAX_STREAMS,
  type PeerFrame,
} from '@autowatering/relay-protocol';
import * as z from 'zod';
import { bytesField, Continuation, Count, EpochField, FrameIdField, NewEventFields, Stream } from './fields.ts';

const isDistinct = (texts: readonly string[]) => new Set(texts).size === texts.length;

/*
 * Not loaded by the function in Lambda, which reads frames by `read-peer-frame.ts`: for the protocol's document, and for
 * the test that holds the two equal.
 */

/** What a peer sends in a session, by type. */
export const PEER_FRAMES = {
  publish: z
    .strictObject({
      type: z.literal('publish'),
      id: FrameIdField,
      stream: Stream,
      client_seq: Count.min(1).describe("Of the first event: counts this peer's events in the stream's epoch, from 1"),
      events: z
        .array(NewEventFields)
        .min(1)
        .max(MAX_EVENTS_PER_PUBLISH)
        .refine((events) => isDistinct(events.map(({ event_id: id }) => id)), 'event ids must differ')
        .describe('All of them are stored, or none'),
      if_seq: Count.exactOptional().describe(
        "Publish only if this is the stream's head or, with a key, the seq of the key's newest event; 0: none yet",
      ),
    })
    .refine((frame) => Number.isSafeInteger(frame.client_seq + frame.events.length), 'client_seq is too large')
    .describe('Stores events, once, however often it is sent'),
  subscribe: z
    .strictObject({
      type: z.literal('subscribe'),
      id: FrameIdField,
      streams: z.union([
        z.literal('*'),
        z
          .array(z.strictObject({ stream: Stream, epoch: EpochField.exactOptional(), after: Count.exactOptional() }))
          .min(1)
          .max(MAX_STREAMS)
          .refine((streams) => isDistinct(streams.map(({ stream }) => stream)), 'streams must differ'),
      ]),
    })
    .describe('Sends what was missed, then events as they happen'),
  replay: z
    .strictObject({
      type: z.literal('replay'),
      id: FrameIdField,
      stream: Stream,
      epoch: EpochField,
      after: Count.describe('The last seq that is known'),
      limit: z.number().int().min(1).max(MAX_REPLAY_EVENTS).exactOptional(),
      continuation: Continuation.exactOptional(),
    })
    .describe('Reads stored events by pages'),
  snapshot: z
    .strictObject({
      type: z.literal('snapshot'),
      id: FrameIdField,
      stream: Stream,
      continuation: Continuation.exactOptional(),
    })
    .describe('Reads the newest event of each key by pages'),
  ack: z
    .strictObject({ type: z.literal('ack'), stream: Stream, epoch: EpochField, seq: Count })
    .describe("Keeps how far this peer has read, for the account's owner to see"),
  ping: z.strictObject({ type: z.literal('ping'), id: FrameIdField }).describe('Asks for the time and all heads'),
  peers: z.strictObject({ type: z.literal('peers'), id: FrameIdField }).describe("Asks for the account's peers"),
  rekey: z
    .strictObject({ type: z.literal('rekey'), ephemeral_key: bytesField(KEY_BYTES).describe('A fresh X25519 key') })
    .describe('Begins the next generation of keys'),
} as const satisfies { readonly [Type in PeerFrame['type']]: z.ZodType<Extract<PeerFrame, { readonly type: Type }>> };
