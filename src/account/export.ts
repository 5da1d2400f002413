import * as z from 'zod';
import type { CommandRecords } from '../commands/index.ts';
import type { DeviceRecords } from '../fleet/index.ts';
import { isoDateTime } from '../http/fields.ts';
import type { NotificationRecords } from '../notifications/index.ts';
import type { DirectoryUser } from '../platform/aws/user-directory.ts';
import { isoTime } from '../platform/clock.ts';
import type { Uid } from '../platform/ids.ts';
import type { RelayRecords } from '../relay/index.ts';
import type { BillingRecord } from '../subscriptions/index.ts';
import type { TelemetryRecords } from '../telemetry/index.ts';
import {
  CommandSection,
  commandSection,
  NotificationSection,
  notificationSection,
  TelemetrySection,
  telemetrySection,
} from './export-garden.ts';
import { Profile } from './profile.ts';
import type { UsageOfMonth } from './store.ts';
import type { UserState } from './user-state.ts';

const personal = {
  name: z.string().optional(),
  settings: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
};

/** The downloaded document: one section per kind of stored data. */
export const AccountExport = z.object({
  exportedAt: isoDateTime,
  uid: z.string(),
  login: z.object({
    email: z.string().nullable(),
    emailVerified: z.boolean(),
    name: z.string().nullable(),
    picture: z.string().nullable(),
    createdAt: isoDateTime.nullable(),
  }),
  profile: Profile,
  /** The last day on which this service saw the user. */
  lastActiveOn: z.string().nullable(),
  state: z
    .object({
      state: z.record(z.string(), z.unknown()),
      version: z.string().nullable(),
      updatedAt: isoDateTime,
      docVersion: z.number(),
    })
    .nullable(),
  devices: z.array(
    z.object({
      serial: z.string(),
      hwId: z.string(),
      thingName: z.string(),
      status: z.string(),
      claimedAt: isoDateTime,
      ...personal,
    }),
  ),
  /** Revoked while the user owned them; a replacement unit takes over name and settings. */
  formerDevices: z.array(z.object({ serial: z.string(), hwId: z.string(), revokedAt: isoDateTime, ...personal })),
  /** Device events that the user caused, or that happened while the user owned the device. */
  deviceHistory: z.array(
    z.object({ hwId: z.string(), action: z.string(), timestamp: isoDateTime, byUser: z.boolean() }),
  ),
  usage: z.array(z.object({ feature: z.string(), month: z.string(), used: z.number() })),
  billing: z.object({
    stripeCustomerId: z.string().nullable(),
    formerStripeCustomerIds: z.array(z.string()),
    subscription: z
      .object({
        subscriptionId: z.string(),
        customerId: z.string(),
        status: z.string(),
        plan: z.string(),
        currentPeriodEnd: isoDateTime.nullable(),
        cancelAtPeriodEnd: z.boolean(),
      })
      .nullable(),
    trialUsedAt: isoDateTime.nullable(),
    confirmedByStripeAt: isoDateTime.nullable(),
  }),
  /** The user's phones and hubs, and what they shared. */
  relay: z.object({
    peers: z.array(
      z.object({
        peerId: z.string(),
        name: z.string(),
        type: z.string(),
        publicKey: z.string(),
        status: z.string(),
        createdAt: isoDateTime,
        lastSeenAt: isoDateTime.nullable(),
        revokedAt: isoDateTime.nullable(),
      }),
    ),
    streams: z.array(
      z.object({
        stream: z.string(),
        epoch: z.string(),
        head: z.number(),
        retentionDays: z.number(),
        createdAt: isoDateTime,
        readUpTo: z.array(z.object({ peerId: z.string(), epoch: z.string(), seq: z.number() })),
        events: z.array(z.record(z.string(), z.unknown())),
        complete: z.boolean(),
      }),
    ),
  }),
  telemetry: TelemetrySection,
  commands: CommandSection,
  notifications: NotificationSection,
});
export type AccountExport = z.output<typeof AccountExport>;

/** The source of each section. */
export interface ExportSources {
  directoryEntry(): Promise<DirectoryUser>;
  profile(uid: Uid): Promise<Profile | undefined>;
  lastActiveOn(uid: Uid): Promise<string | undefined>;
  state(uid: Uid): Promise<UserState | undefined>;
  deviceRecords(uid: Uid): Promise<DeviceRecords>;
  usage(uid: Uid): Promise<readonly UsageOfMonth[]>;
  billing(uid: Uid): Promise<BillingRecord>;
  relay(uid: Uid): Promise<RelayRecords>;
  telemetry(uid: Uid): Promise<TelemetryRecords>;
  commands(uid: Uid): Promise<CommandRecords>;
  notifications(uid: Uid): Promise<NotificationRecords>;
}

export async function exportAccount(uid: Uid, now: number, sources: ExportSources): Promise<AccountExport> {
  const [login, profile, lastActiveOn, state, records, usage, billing, relay, telemetry, commands, notifications] =
    await Promise.all([
      sources.directoryEntry(),
      sources.profile(uid),
      sources.lastActiveOn(uid),
      sources.state(uid),
      sources.deviceRecords(uid),
      sources.usage(uid),
      sources.billing(uid),
      sources.relay(uid),
      sources.telemetry(uid),
      sources.commands(uid),
      sources.notifications(uid),
    ]);
  return {
    exportedAt: isoTime(now),
    uid,
    login: { ...login, createdAt: login.createdAt === null ? null : isoTime(login.createdAt) },
    profile: profile ?? {},
    lastActiveOn: lastActiveOn ?? null,
    state: state ?? null,
    devices: [...records.devices],
    formerDevices: [...records.formerDevices],
    deviceHistory: [...records.history],
    usage: [...usage],
    billing: {
      stripeCustomerId: billing.customerId,
      formerStripeCustomerIds: [...billing.formerCustomerIds],
      subscription: billing.snapshot,
      trialUsedAt: billing.trialUsedAt,
      confirmedByStripeAt: billing.syncedAt === null ? null : isoTime(billing.syncedAt),
    },
    relay: relaySection(relay),
    telemetry: telemetrySection(telemetry),
    commands: commandSection(commands),
    notifications: notificationSection(notifications),
  };
}

function relaySection({ peers, cursors, streams }: RelayRecords): AccountExport['relay'] {
  const timeOrNull = (ms: number | undefined) => (ms === undefined ? null : isoTime(ms));
  return {
    peers: peers.map(({ peerId, name, type, publicKey, status, createdAt, lastSeenAt, revokedAt }) => ({
      ...{ peerId, name, type, publicKey, status, createdAt: isoTime(createdAt) },
      ...{ lastSeenAt: timeOrNull(lastSeenAt), revokedAt: timeOrNull(revokedAt) },
    })),
    streams: streams.map(({ stream, epoch, head, retentionDays, createdAt, events, isComplete }) => ({
      ...{ stream, epoch, head, retentionDays, createdAt: isoTime(createdAt) },
      readUpTo: cursors.flatMap((cursor) =>
        cursor.stream === stream ? [{ peerId: cursor.peerId, epoch: cursor.epoch, seq: cursor.seq }] : [],
      ),
      events: events.map((event) => ({ ...event })),
      complete: isComplete,
    })),
  };
}
