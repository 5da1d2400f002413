import {
  type FrameId,
  KEY_BYTES,
  MAX_EVENTS_PER_PUBLISH,
  MAX_REPLAY_EVENTS,
  MAX_STREAMS,
  type PeerFrame,
  type RelayErrorCode,
} from '@autowatering/relay-protocol';
import {
  exactFields,
  listOf,
  oneOf,
  optional,
  type Shape,
  ShapeError,
  such,
  wholeNumber,
} from '../../platform/shapes.ts';
import { bytesText, continuation, count, epoch, newEvent, stream } from './field-shapes.ts';
import { jsonFault } from './json-bounds.ts';

const isDistinct = (texts: readonly string[]) => new Set(texts).size === texts.length;

const streamsAsked = such(
  listOf(exactFields({ stream, epoch: optional(epoch), after: optional(count) }), { atLeast: 1, atMost: MAX_STREAMS }),
  (asked) => isDistinct(asked.map((one) => one.stream)),
  'streams that differ',
);

/** The frames of `peer-frames.ts`, field by field. */
const SHAPES: { readonly [Type in PeerFrame['type']]: Shape<Extract<PeerFrame, { readonly type: Type }>> } = {
  publish: such(
    exactFields({
      type: oneOf(['publish']),
      id: count,
      stream,
      client_seq: wholeNumber(1),
      events: such(
        listOf(newEvent, { atLeast: 1, atMost: MAX_EVENTS_PER_PUBLISH }),
        (events) => isDistinct(events.map(({ event_id: id }) => id)),
        'events whose ids differ',
      ),
      if_seq: optional(count),
    }),
    (frame) => Number.isSafeInteger(frame.client_seq + frame.events.length),
    'within what counts exactly',
  ),
  subscribe: exactFields({
    type: oneOf(['subscribe']),
    id: count,
    streams: (value, at) => (value === '*' ? value : streamsAsked(value, at)),
  }),
  replay: exactFields({
    type: oneOf(['replay']),
    id: count,
    stream,
    epoch,
    after: count,
    limit: optional(wholeNumber(1, MAX_REPLAY_EVENTS)),
    continuation: optional(continuation),
  }),
  snapshot: exactFields({ type: oneOf(['snapshot']), id: count, stream, continuation: optional(continuation) }),
  ack: exactFields({ type: oneOf(['ack']), stream, epoch, seq: count }),
  ping: exactFields({ type: oneOf(['ping']), id: count }),
  peers: exactFields({ type: oneOf(['peers']), id: count }),
  rekey: exactFields({ type: oneOf(['rekey']), ephemeral_key: bytesText(KEY_BYTES) }),
};

export type ReadPeerFrame =
  | { readonly ok: true; readonly frame: PeerFrame }
  | { readonly ok: false; readonly code: RelayErrorCode; readonly message: string; readonly id?: FrameId };

/** Reads the text of an opened frame. */
export function readPeerFrame(text: string): ReadPeerFrame {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { ok: false, code: 'malformed', message: 'The frame is not JSON.' };
  }
  const { type, id } = fieldsOf(value);
  const about = isFrameId(id) ? { id } : {};
  const fault = jsonFault(value);
  if (fault !== undefined) {
    return { ok: false, code: 'malformed', message: `The frame holds what can't be kept: ${fault}.`, ...about };
  }
  if (!isPeerFrameType(type)) return { ok: false, code: 'unknown_frame', message: 'There is no such frame.', ...about };
  try {
    return { ok: true, frame: SHAPES[type](value) };
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    const where = error.places[0] || 'it';
    return { ok: false, code: 'malformed', message: `The frame ${type} can't be read: see ${where}.`, ...about };
  }
}

/** What a frame says of itself, as long as nothing else is known of it. */
function fieldsOf(value: unknown): { readonly type?: unknown; readonly id?: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}

function isFrameId(id: unknown): id is FrameId {
  return typeof id === 'number' && Number.isSafeInteger(id) && id >= 0;
}

function isPeerFrameType(type: unknown): type is PeerFrame['type'] {
  return typeof type === 'string' && Object.hasOwn(SHAPES, type);
}
