import { MAX_RETENTION_DAYS } from '@autowatering/relay-protocol';
import * as z from 'zod';
import { ApiError } from '../../http/errors.ts';
import { isStreamName } from '../names.ts';

export const StreamParams = z.object({ stream: z.string().refine(isStreamName, 'the name of a stream') });
export const RetentionDays = z.int().min(1).max(MAX_RETENTION_DAYS);
/** Milliseconds since 1970. */
export const Milliseconds = z.int().min(0);

export const ShownStream = z.object({
  stream: z.string(),
  epoch: z.string(),
  head: z.number(),
  bytes: z.number(),
  retention_days: z.number(),
  created_at: Milliseconds,
});

export const ShownEvent = z.object({
  seq: z.number(),
  event_id: z.string(),
  type: z.string(),
  payload: z.unknown(),
  sent_at: Milliseconds,
  key: z.string().optional(),
  peer_id: z.string(),
  client_seq: z.number(),
  received_at: Milliseconds,
  expires_at: Milliseconds.optional(),
});

export function streamNotFound(): ApiError {
  return new ApiError('stream_not_found', 'There is nothing here yet. Please try again later.');
}
