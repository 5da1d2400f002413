import * as z from 'zod';
import type { CommandRecords } from '../commands/index.ts';
import { isoDateTime } from '../http/fields.ts';
import type { NotificationRecords } from '../notifications/index.ts';
import { isoTime } from '../platform/clock.ts';
import type { TelemetryRecords } from '../telemetry/index.ts';

const values = z.record(z.string(), z.unknown());

/** What the user's devices told. */
export const TelemetrySection = z.object({
  timeZones: z.array(z.object({ since: isoDateTime, zone: z.string() })),
  devices: z.array(
    z.object({
      serial: z.string(),
      hwId: z.string(),
      lastHeardAt: isoDateTime,
      runs: z.array(values),
      watchedSessions: z.array(values),
      rows: z.array(
        z.object({ kind: z.string(), at: isoDateTime, readAt: isoDateTime, clockLost: z.boolean(), values }),
      ),
      readings: z.array(z.object({ kind: z.string(), readAt: isoDateTime, bytes: z.string() })),
      complete: z.boolean(),
    }),
  ),
});

export function telemetrySection({ zones, devices }: TelemetryRecords): z.output<typeof TelemetrySection> {
  return {
    timeZones: zones.map(({ since, zone }) => ({ since: isoTime(since), zone })),
    devices: devices.map(({ serial, hwId, heardAt, runs, sessions, rows, readings, isComplete }) => ({
      ...{ serial, hwId, lastHeardAt: isoTime(heardAt), complete: isComplete },
      runs: runs.map(({ startedAt, endedAt, ...run }) => ({
        ...{ startedAt: isoTime(startedAt), endedAt: endedAt === null ? null : isoTime(endedAt) },
        ...run,
      })),
      watchedSessions: sessions.map(({ startedAt, endedAt, ...session }) => ({
        ...{ startedAt: isoTime(startedAt), endedAt: isoTime(endedAt) },
        ...session,
      })),
      rows: rows.map((row) => ({
        ...{ kind: row.kind, at: isoTime(row.at), readAt: isoTime(row.readAt), clockLost: row.isClockLost },
        values: { ...row.values },
      })),
      readings: readings.map(({ kind, readAt, bytes }) => ({
        ...{ kind, readAt: isoTime(readAt), bytes: Buffer.from(bytes).toString('base64') },
      })),
    })),
  };
}

/** What the user told the devices. */
export const CommandSection = z.object({
  limits: z.record(z.string(), z.number()),
  devices: z.array(
    z.object({
      serial: z.string(),
      commands: z.array(
        z.object({
          commandId: z.string(),
          commandKey: z.string(),
          intent: values,
          state: z.string(),
          reason: z.string().nullable(),
          createdAt: isoDateTime,
          expiresAt: isoDateTime,
          endedAt: isoDateTime.nullable(),
          audit: z.array(z.object({ at: isoDateTime, step: z.string(), by: z.string() })),
        }),
      ),
      complete: z.boolean(),
    }),
  ),
});

export function commandSection({ limits, devices }: CommandRecords): z.output<typeof CommandSection> {
  return {
    limits: { ...limits },
    devices: devices.map(({ serial, commands, isComplete }) => ({
      serial,
      commands: commands.map(({ commandId, commandKey, intent, state, reason, audit, ...command }) => ({
        ...{ commandId, commandKey, intent: { ...intent }, state, reason },
        ...{ createdAt: isoTime(command.createdAt), expiresAt: isoTime(command.expiresAt) },
        endedAt: command.endedAt === null ? null : isoTime(command.endedAt),
        audit: audit.map(({ at, step, by }) => ({ at: isoTime(at), step, by })),
      })),
      complete: isComplete,
    })),
  };
}

/** What the user was told. */
export const NotificationSection = z.object({
  preferences: values,
  readUntil: isoDateTime.nullable(),
  subscriptions: z.array(z.object({ type: z.string(), service: z.string(), createdAt: isoDateTime })),
  messages: z.array(
    z.object({
      messageId: z.string(),
      kind: z.string(),
      topic: z.string(),
      severity: z.string(),
      serial: z.string().nullable(),
      facts: values,
      at: isoDateTime,
      storedAt: isoDateTime,
      readAt: isoDateTime.nullable(),
    }),
  ),
  complete: z.boolean(),
});

export function notificationSection({
  preferences,
  readUntil,
  endpoints,
  messages,
  isComplete,
}: NotificationRecords): z.output<typeof NotificationSection> {
  return {
    preferences: { ...preferences },
    readUntil: readUntil === 0 ? null : isoTime(readUntil),
    subscriptions: endpoints.map(({ type, service, createdAt }) => ({ type, service, createdAt: isoTime(createdAt) })),
    messages: messages.map(({ at, storedAt, readAt, facts, ...message }) => ({
      ...message,
      facts: { ...facts },
      ...{ at: isoTime(at), storedAt: isoTime(storedAt), readAt: readAt === null ? null : isoTime(readAt) },
    })),
    complete: isComplete,
  };
}
