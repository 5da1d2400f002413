import { DEFAULT_RETENTION_DAYS } from '@autowatering/relay-protocol';
import * as z from 'zod';
import { defineRoute, type Route } from '../../http/define-route.ts';
import type { Streams, StreamView } from '../log/streams.ts';
import { RetentionDays, ShownStream, StreamParams, streamNotFound } from './stream-fields.ts';

const CHANGE_LIMIT = { requests: 60, windowSeconds: 600 } as const;

/** The account's streams: they come into being with their first event. */
export function streamRoutes(streams: Streams): readonly Route[] {
  const list = defineRoute({
    method: 'GET',
    path: '/relay/streams',
    auth: 'cognito',
    openToPeers: true,
    domain: 'relay',
    summary: "Lists the account's streams",
    description:
      'With the `head`, the seq of the newest event, in the `epoch` that it counts in. `bytes` may still count events ' +
      'that have expired. Times are milliseconds since 1970.',
    responses: { 200: z.object({ ok: z.literal(true), streams: z.array(ShownStream) }) },
    errors: [],
  }).handledBy(async ({ caller }) => ({
    status: 200,
    body: { ok: true, streams: (await streams.list(caller.uid)).map(shown) },
  }));

  const change = defineRoute({
    method: 'POST',
    path: '/relay/streams/{stream}',
    auth: 'cognito',
    openToPeers: true,
    idempotent: true,
    domain: 'relay',
    summary: 'Sets for how long a stream keeps its events',
    description: `For events from now on, in days; ${DEFAULT_RETENTION_DAYS} by default.`,
    rateLimit: CHANGE_LIMIT,
    params: StreamParams,
    body: z.strictObject({ retention_days: RetentionDays }),
    responses: { 200: z.object({ ok: z.literal(true), stream: ShownStream }) },
    errors: ['stream_not_found'],
  }).handledBy(async ({ caller, params, body }) => {
    const stream = await streams.setRetention(caller.uid, params.stream, body.retention_days);
    if (stream === undefined) throw streamNotFound();
    return { status: 200, body: { ok: true, stream: shown(stream) } };
  });

  const remove = defineRoute({
    method: 'POST',
    path: '/relay/streams/{stream}/delete',
    auth: 'cognito',
    openToPeers: true,
    domain: 'relay',
    summary: 'Deletes a stream with all its events',
    description:
      'The next event makes it anew, in another epoch. With very many events `complete` is false: some are left, which ' +
      'nobody sees, and deleting it again goes on.',
    rateLimit: CHANGE_LIMIT,
    params: StreamParams,
    body: z.strictObject({}),
    responses: { 200: z.object({ ok: z.literal(true), deleted: z.literal(true), complete: z.boolean() }) },
    errors: ['stream_not_found'],
  }).handledBy(async ({ caller, params }) => {
    const deletion = await streams.remove(caller.uid, params.stream);
    if (deletion.outcome === 'not_found') throw streamNotFound();
    return { status: 200, body: { ok: true, deleted: true, complete: deletion.isComplete } };
  });

  return [list, change, remove];
}

function shown({ stream, epoch, head, bytes, retentionDays, createdAt }: StreamView): z.input<typeof ShownStream> {
  return { stream, epoch, head, bytes, retention_days: retentionDays, created_at: createdAt };
}
