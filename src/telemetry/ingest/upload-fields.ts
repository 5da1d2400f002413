import * as z from 'zod';
import { SerialField } from '../../fleet/fields.ts';
import { READING_KINDS, ROW_KINDS } from '../evidence.ts';
import { ROW_LAYOUTS } from '../rows/row-layout.ts';
import { isTimeZone } from '../time-zone.ts';
import { MOST_READINGS, MOST_READS, MOST_ROWS_AT_ONCE, MOST_SESSIONS, REFUSALS, type Upload } from './upload.ts';

/** After 2100: no time that a phone can mean. */
const LATEST = 4_102_444_800_000;
const LONGEST_READING = 64;
const MOST_MILLILITRES = 100_000_000;
const LONGEST_ROW = Math.max(...ROW_KINDS.map((kind) => ROW_LAYOUTS[kind].bytes));

const time = z.int().min(0).max(LATEST);
const uptimeMs = z.int().min(0).max(LATEST);
const name = (longest: number) =>
  z.string().regex(new RegExp(`^[A-Za-z0-9._:-]{1,${longest}}$`), 'an id of the phone’s own making');

function bytes(most: number) {
  return z
    .base64({ abort: true })
    .max(Math.ceil(most / 3) * 4)
    .transform((text) => new Uint8Array(Buffer.from(text, 'base64')));
}

const ReadField = z.strictObject({
  kind: z.enum(ROW_KINDS),
  channel: z.int().min(0).max(7).optional().meta({ description: 'Which channel’s ring was read; only for `watering`' }),
  read_at: time,
  from_at: time.optional().meta({
    description: 'From when on the device was asked for rows. Without it the first row counts as the beginning.',
  }),
  rows: bytes(MOST_ROWS_AT_ONCE * LONGEST_ROW).meta({
    description: 'The rows as read over BLE, one after the other, without headers and echoed queries; in base64',
  }),
});

const ReadingField = z.strictObject({
  kind: z.enum(READING_KINDS),
  read_at: time,
  uptime_ms: uptimeMs.optional(),
  bytes: bytes(LONGEST_READING),
});

const SessionField = z
  .strictObject({
    session_id: name(64),
    channel: z.int().min(0).max(7),
    started_at: time,
    saw_start: z.boolean(),
    ended_at: time,
    ended: z.enum(['completed', 'stopped', 'interrupted', 'lost_sight']),
    millilitres: z.int().min(0).max(MOST_MILLILITRES).nullable().default(null),
  })
  .refine(({ started_at: start, ended_at: end }) => end >= start, 'a session can’t end before it began');

export const TimeZoneField = z.string().max(64).refine(isTimeZone, 'a time zone such as Europe/Bucharest');

export const UploadBody = z
  .strictObject({
    serial: SerialField,
    sent_at: time.meta({ description: 'By the phone’s clock, when it sends this: tells how far that clock is off' }),
    phone_session: name(64).optional(),
    time_zone: TimeZoneField.optional(),
    uptime: z
      .strictObject({ uptime_ms: uptimeMs, source: z.enum(['diagnostics', 'environment']), read_at: time })
      .optional(),
    reads: z.array(ReadField).max(MOST_READS).default([]),
    readings: z.array(ReadingField).max(MOST_READINGS).default([]),
    sessions: z.array(SessionField).max(MOST_SESSIONS).default([]),
  })
  .refine(
    ({ reads }) =>
      reads.reduce((sum, { kind, rows }) => sum + rows.byteLength / ROW_LAYOUTS[kind].bytes, 0) <= MOST_ROWS_AT_ONCE,
    `at most ${MOST_ROWS_AT_ONCE} rows`,
  );

export function toUpload(body: z.output<typeof UploadBody>): Upload {
  const { uptime } = body;
  return {
    serial: body.serial,
    sentAt: body.sent_at,
    phoneSession: body.phone_session,
    timeZone: body.time_zone,
    uptime: uptime && { phoneTimeMs: uptime.read_at, uptimeMs: uptime.uptime_ms, source: uptime.source },
    reads: body.reads.map(({ kind, channel, read_at: readAt, from_at: fromAt, rows }) => ({
      ...{ kind, channel, readAt, fromAt, bytes: rows },
    })),
    readings: body.readings.map(({ kind, read_at: readAt, uptime_ms: uptimeMs, bytes }) => ({
      ...{ kind, readAt, uptimeMs, bytes },
    })),
    sessions: body.sessions.map((session) => ({
      sessionId: session.session_id,
      channel: session.channel,
      startedAt: session.started_at,
      sawStart: session.saw_start,
      endedAt: session.ended_at,
      ended: session.ended,
      millilitres: session.millilitres,
    })),
  };
}

const Next = z
  .object({ from_at: z.number().nullable() })
  .meta({ description: 'Ask the device for rows from then on, that hour or day included; null: for all it has' });

export const UploadAnswer = z.object({
  ok: z.literal(true),
  stored: z.number(),
  known: z.number(),
  refused_count: z.number(),
  refused: z.array(
    z.object({
      list: z.enum(['reads', 'readings', 'sessions']),
      entry: z.number().nullable(),
      row: z.number().nullable(),
      code: z.enum(REFUSALS),
      count: z.number(),
    }),
  ),
  next: z.object({
    watering: z
      .array(z.object({ channel: z.number(), newest_at: z.number().nullable() }))
      .meta({ description: 'The device has no filter: read all of a channel, which ends with rows after `newest_at`' }),
    rain_hourly: Next,
    rain_daily: Next,
    environment_hourly: Next,
    environment_daily: Next,
  }),
});
