import {
  BYE_CODES,
  type Bye,
  CIPHER_SUITE,
  ERROR_CODES,
  type ErrorFrame,
  type Events,
  type Json,
  KEY_BYTES,
  type LiveEvent,
  NONCE_BYTES,
  PEER_TYPES,
  type PeerChanged,
  type Peers,
  type PeerView,
  type Pong,
  PROTOCOL_VERSION,
  type Presence,
  type Published,
  type Rekeyed,
  type RelayEvent,
  type Reset,
  SESSION_ID_BYTES,
  type ServerFrame,
  type ServerHello,
  type SessionEstablished,
  SIGNATURE_BYTES,
  type SnapshotPage,
  type StreamHead,
  type Subscribed,
} from '@autowatering/relay-protocol';
import * as z from 'zod';
import { bytesField, Continuation, Count, EpochField, FrameIdField, PeerIdField, Stream, Time } from './fields.ts';

/*
 * Not loaded by the function in Lambda: for the protocol's document, and for checking answers in tests and locally.
 */

/** An object with exactly the type's fields. One that is missing here, or only here, does not compile. */
function exactly<Type>() {
  return <Shape extends { readonly [Field in keyof Type]-?: z.ZodType<Type[Field]> }>(
    shape: Shape & Readonly<Record<Exclude<keyof Shape, keyof Type>, never>>,
  ): z.ZodObject<Shape, z.core.$strict> => z.strictObject<Shape>(shape);
}

const Seq = Count.describe("An event's number in its stream and epoch, from 1");
const Head = Count.describe("The seq of the stream's newest event, 0 if it has none");
const EventId = z.string().describe('Chosen by its author');
const LastSeen = Time.nullable().describe('Milliseconds since 1970, null: never');
const Seconds = Count.describe('Seconds');
const More = Continuation.exactOptional().describe('There is another page: ask for it with this');

const RelayEventFields = exactly<RelayEvent>()({
  seq: Seq,
  event_id: EventId,
  type: z.string().describe('What kind of event it is, for the application'),
  payload: z.custom<Json>((value) => value !== undefined).describe('Any JSON'),
  sent_at: Time.describe("The author's clock when it was sent: milliseconds since 1970"),
  key: z.string().exactOptional().describe('What the event is about, such as a zone'),
  peer_id: PeerIdField.describe('Its author'),
  client_seq: Count.describe("Its number among its author's events in this stream and epoch, from 1"),
  received_at: Time.describe('When the server received it: milliseconds since 1970'),
  expires_at: Time.exactOptional().describe('From then on it is not delivered: milliseconds since 1970'),
});
const StreamHeadFields = exactly<StreamHead>()({ stream: Stream, epoch: EpochField, head: Head });
const PeerViewFields = exactly<PeerView>()({
  peer_id: PeerIdField,
  name: z.string(),
  type: z.enum(PEER_TYPES),
  online: z.boolean(),
  last_seen_at: LastSeen,
});
const PublishedEventFields = exactly<Published['events'][number]>()({ event_id: EventId, seq: Seq });

/** The server's answer in the handshake, in plain text. */
export const SERVER_HELLO = exactly<ServerHello>()({
  type: z.literal('server_hello'),
  version: z.literal(PROTOCOL_VERSION),
  session_id: bytesField(SESSION_ID_BYTES),
  server_nonce: bytesField(NONCE_BYTES),
  ephemeral_key: bytesField(KEY_BYTES),
  cipher_suite: z.literal(CIPHER_SUITE),
  server_key_id: z.string().describe('`kid` of the key in JWKS'),
  time: Time,
  signature: bytesField(SIGNATURE_BYTES),
}).describe('The server proves who it is');

/** What the server sends in a session, by type. */
export const SERVER_FRAMES = {
  session_established: exactly<SessionEstablished>()({
    type: z.literal('session_established'),
    session_id: bytesField(SESSION_ID_BYTES),
    peer_id: PeerIdField,
    expires_at: Time.describe('When the connection ends: milliseconds since 1970'),
    heartbeat_seconds: Seconds.describe('Seconds between two pings'),
    rekey_after_seconds: Seconds.describe('Seconds until rekeying is due'),
    max_frame_bytes: Count.describe('The largest message to the server, as sealed'),
    streams: z.array(StreamHeadFields).describe("All of the account's streams"),
    peers: z.array(PeerViewFields).describe("The account's active peers"),
  }).describe('Ends the handshake'),
  published: exactly<Published>()({
    type: z.literal('published'),
    id: FrameIdField,
    epoch: EpochField,
    events: z.array(PublishedEventFields),
    time: Time.describe('When they were received: milliseconds since 1970'),
  }).describe('The events are stored, by this publish or by an earlier attempt'),
  events: exactly<Events>()({
    type: z.literal('events'),
    id: FrameIdField,
    stream: Stream,
    epoch: EpochField,
    events: z.array(RelayEventFields).describe('In order. May be empty, also when there is another page'),
    continuation: More,
  }).describe('A page of a replay or of what a subscriber missed'),
  subscribed: exactly<Subscribed>()({
    type: z.literal('subscribed'),
    id: FrameIdField,
    streams: z.array(StreamHeadFields),
  }).describe('Follows the pages of what was missed. Newer events come live'),
  snapshot: exactly<SnapshotPage>()({
    type: z.literal('snapshot'),
    id: FrameIdField,
    stream: Stream,
    epoch: EpochField,
    head: Head.describe('The head when the first page was read: replay from there'),
    events: z.array(RelayEventFields).describe('By key'),
    continuation: More,
  }).describe('A page of the newest events of each key'),
  reset: exactly<Reset>()({
    type: z.literal('reset'),
    id: FrameIdField.exactOptional(),
    stream: Stream,
    epoch: EpochField.describe("The stream's epoch now"),
    head: Head,
    oldest: Seq.describe('The oldest event that is left; head + 1 if none is'),
  }).describe('The epoch asked for is over, or events after the position are gone'),
  pong: exactly<Pong>()({
    type: z.literal('pong'),
    id: FrameIdField,
    time: Time,
    heads: z.array(StreamHeadFields).describe("All of the account's streams"),
  }).describe('Answers a ping'),
  peers: exactly<Peers>()({
    type: z.literal('peers'),
    id: FrameIdField,
    peers: z.array(PeerViewFields).describe("The account's active peers"),
  }).describe('Answers peers'),
  rekeyed: exactly<Rekeyed>()({
    type: z.literal('rekeyed'),
    generation: Count.describe('Of the keys from now on'),
    ephemeral_key: bytesField(KEY_BYTES),
  }).describe('The next generation of keys has begun'),
  event: exactly<LiveEvent>()({
    type: z.literal('event'),
    stream: Stream,
    epoch: EpochField,
    event: RelayEventFields,
  }).describe('An event as it happens. Best effort: the log is the truth'),
  presence: exactly<Presence>()({
    type: z.literal('presence'),
    peer_id: PeerIdField,
    online: z.boolean(),
    last_seen_at: LastSeen,
  }).describe('Another peer came or went'),
  peer_changed: exactly<PeerChanged>()({
    type: z.literal('peer_changed'),
    peer_id: PeerIdField,
    change: z.enum(['registered', 'renamed', 'revoked']),
    name: z.string(),
    peer_type: z.enum(PEER_TYPES),
  }).describe('A peer was registered, renamed or revoked'),
  bye: exactly<Bye>()({
    type: z.literal('bye'),
    code: z.enum(BYE_CODES),
    reason: z.string().describe('For developers'),
    retry_after: Seconds.exactOptional(),
  }).describe('The server closes the connection. In plain text if there is no session'),
  error: exactly<ErrorFrame>()({
    type: z.literal('error'),
    code: z.enum(ERROR_CODES),
    message: z.string().describe('For developers; clients decide by the code'),
    id: FrameIdField.exactOptional().describe('Of the frame that failed, if it could be read'),
    time: Time.exactOptional().describe("With clock_skew: the server's time"),
    event: RelayEventFields.nullable()
      .exactOptional()
      .describe('With conflict: the event that won, null if it is gone'),
    seq: Count.exactOptional().describe('With conflict: the seq to publish against'),
    expected: Count.exactOptional().describe('With client_seq_expected: the next number'),
    retry_after: Seconds.exactOptional().describe('With rate_limited and unavailable: seconds'),
  }).describe('A frame was refused. In plain text during the handshake, which it ends'),
} as const satisfies {
  readonly [Type in ServerFrame['type']]: z.ZodType<Extract<ServerFrame, { readonly type: Type }>>;
};

/**
 * Checks what is about to be sent.
 *
 * @throws Error for a frame that is not as the protocol says
 */
export function checkServerFrame(frame: ServerFrame | ServerHello): void {
  const schema = frame.type === 'server_hello' ? SERVER_HELLO : SERVER_FRAMES[frame.type];
  const { success, error } = schema.safeParse(frame);
  if (!success) throw new Error(`The frame ${frame.type} is not as the protocol says`, { cause: error });
}
