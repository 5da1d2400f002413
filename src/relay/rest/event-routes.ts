import { DEFAULT_REPLAY_EVENTS, MAX_EVENTS_PER_PUBLISH, MAX_REPLAY_EVENTS } from '@autowatering/relay-protocol';
import * as z from 'zod';
import { defineRoute, type Route } from '../../http/define-route.ts';
import { ApiError } from '../../http/errors.ts';
import { validationFailed } from '../../http/field-faults.ts';
import type { Uid } from '../../platform/ids.ts';
import { NewEventFields } from '../frames/fields.ts';
import { jsonFault } from '../frames/json-bounds.ts';
import type { LogStore } from '../log/log-store.ts';
import type { PublishEvents } from '../log/publish.ts';
import type { createReadPage } from '../log/read-log.ts';
import { isEpoch, type StreamName } from '../names.ts';
import { refusedPublish } from './refused-publish.ts';
import { Milliseconds, ShownEvent, StreamParams, streamNotFound } from './stream-fields.ts';

export interface EventRouteParts {
  readonly logs: LogStore;
  readonly readPage: ReturnType<typeof createReadPage>['readPage'];
  readonly publish: PublishEvents;
}

/** As in a frame: what is stored must be readable for every client. */
const NewEvents = z
  .array(NewEventFields)
  .min(1)
  .max(MAX_EVENTS_PER_PUBLISH)
  .refine((events) => new Set(events.map(({ event_id: id }) => id)).size === events.length, 'event ids must differ')
  .refine((events) => jsonFault(events) === undefined, 'this is nested too deeply, or not well-formed Unicode');

const wholeNumber = (most: number) =>
  z
    .string()
    .regex(/^\d{1,16}$/, 'a whole number')
    .transform(Number)
    .refine((number) => number <= most, `at most ${most}`);

/** Reading and publishing events without a WebSocket. */
export function eventRoutes({ logs, readPage, publish }: EventRouteParts): readonly Route[] {
  /** The stream's own epoch for a reader that names none. */
  const epochOf = async (uid: Uid, stream: StreamName) => {
    const found = await logs.readStream(uid, stream);
    if (found === undefined) throw streamNotFound();
    return found.epoch;
  };

  const read = defineRoute({
    method: 'GET',
    path: '/relay/streams/{stream}/events',
    auth: 'cognito',
    openToPeers: true,
    domain: 'relay',
    summary: "Reads a stream's events",
    description:
      `Those behind the seq \`after\` (0 by default) in order, at most \`limit\` (1–${MAX_REPLAY_EVENTS}, default ` +
      `${DEFAULT_REPLAY_EVENTS}) and about 90 KB. With a \`continuation\` there are more: ask again with it, and with the ` +
      "same `epoch` and `limit`. Without `epoch`, the stream's own counts. 409 `stream_reset`: the epoch is another, or " +
      'events behind `after` are gone; `details` has the `epoch`, its `head`, and the `oldest` event that is left.',
    params: StreamParams,
    query: z.object({
      epoch: z.string().refine(isEpoch, 'the epoch of a stream').optional(),
      after: wholeNumber(Number.MAX_SAFE_INTEGER).optional(),
      limit: wholeNumber(MAX_REPLAY_EVENTS)
        .refine((limit) => limit > 0, 'at least 1')
        .optional(),
      continuation: z.string().min(1).max(1_024).optional(),
    }),
    responses: {
      200: z.object({
        ok: z.literal(true),
        stream: z.string(),
        epoch: z.string(),
        head: z.number(),
        events: z.array(ShownEvent),
        continuation: z.string().optional(),
      }),
    },
    errors: ['stream_not_found', 'stream_reset'],
  }).handledBy(async ({ caller: { uid }, params, query }) => {
    const { after = 0, limit, continuation } = query;
    const epoch = query.epoch ?? (await epochOf(uid, params.stream));
    const page = await readPage(uid, params.stream, { epoch, after, limit, continuation });
    switch (page.outcome) {
      case 'not_found':
        throw streamNotFound();
      case 'bad_continuation':
        throw validationFailed(
          [{ in: 'query', field: 'continuation', message: 'one from an earlier page of the same request' }],
          'person',
        );
      case 'reset': {
        const { outcome: _outcome, ...details } = page;
        throw new ApiError('stream_reset', 'Something has changed in the meantime. Please load everything again.', {
          details,
        });
      }
      case 'page': {
        const { outcome: _outcome, events, ...rest } = page;
        return { status: 200, body: { ok: true, stream: params.stream, ...rest, events: [...events] } };
      }
    }
  });

  const post = defineRoute({
    method: 'POST',
    path: '/relay/streams/{stream}/events',
    auth: 'cognito',
    openToPeers: true,
    idempotent: true,
    domain: 'relay',
    summary: 'Publishes events to a stream, once, however often it is sent',
    description:
      `For a peer with its own token, which is their author. 1 to ${MAX_EVENTS_PER_PUBLISH} events; all are stored or ` +
      'none. `client_seq` is the first one’s number among those of this peer in this stream and epoch, on every way that ' +
      'it publishes. With `if_seq`, 409 `conflict` when another event came first: `details` has the `event` and the ' +
      '`seq` to publish against. 409 `client_seq_expected`: a number is missing or was used; `details.expected`.',
    params: StreamParams,
    body: z.strictObject({
      client_seq: z.int().min(1),
      events: NewEvents,
      if_seq: z.int().min(0).optional(),
    }),
    responses: {
      200: z.object({
        ok: z.literal(true),
        epoch: z.string(),
        events: z.array(z.object({ event_id: z.string(), seq: z.number() })),
        time: Milliseconds,
      }),
    },
    errors: ['peer_required', 'clock_skew', 'conflict', 'client_seq_expected', 'limit_reached', 'rate_limited'],
  }).handledBy(async ({ caller, params, body }) => {
    if (caller.kind !== 'peer') {
      throw new ApiError('peer_required', 'This device is not set up for this yet. Please register it first.');
    }
    const { uid, peerId } = caller;
    const { client_seq: clientSeq, events, if_seq: ifSeq } = body;
    const outcome = await publish({ uid, peerId }, { stream: params.stream, clientSeq, events, ifSeq });
    if (outcome.outcome !== 'published') throw refusedPublish(outcome);
    const { epoch, time } = outcome;
    const seqs = outcome.events.map(({ event_id, seq }) => ({ event_id, seq }));
    return { status: 200, body: { ok: true, epoch, events: seqs, time } };
  });

  return [read, post];
}
