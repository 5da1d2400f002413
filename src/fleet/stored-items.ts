import * as z from 'zod';
import type { HwId, Serial, Uid } from '../platform/ids.ts';
import type { StoredAuditEntry, StoredStanding } from './audit.ts';
import { type Device, DeviceStatus, MetadataValue, StoredHwId, StoredSerial, StoredUid, thingName } from './device.ts';
import { isPerson } from './person.ts';

/** Layout of the items below; a change of it gets the next number and a migration. */
export const SCHEMA = 1;

/** Entries of an owner's list are called after their device's serial. */
export const OWNED_PREFIX = 'device#';

const StoredDevice = z.object({
  hw_id: StoredHwId,
  serial: StoredSerial,
  serial_seq: z.number(),
  status: DeviceStatus,
  created_at: z.string(),
  updated_at: z.string(),
  owner_uid: StoredUid.optional(),
  claimed_at: z.string().optional(),
  claim_code_salt: z.string().optional(),
  claim_code_hash: z.string().optional(),
  metadata: z.record(z.string(), MetadataValue).default({}),
  public_key: z.string().optional(),
  revision: z.number(),
});

const StoredOwned = z.object({
  record: z.string(),
  serial: StoredSerial,
  hw_id: StoredHwId,
  status: DeviceStatus,
  claimed_at: z.string(),
  name: z.string().optional(),
});

const AuditStanding = z.object({ state: z.string(), owner: z.string().refine(isPerson).optional() });

const StoredAudit = z.object({
  action: z.string(),
  actor: z.string(),
  timestamp: z.string(),
  reason: z.string().optional(),
  before: AuditStanding.optional(),
  after: AuditStanding,
  facts: z.record(z.string(), MetadataValue).optional(),
});

/** @throws ZodError for an item that is no audit entry */
export function toAuditEntry(item: unknown): StoredAuditEntry {
  const { reason, before, after, facts, ...entry } = StoredAudit.parse(item);
  return {
    ...entry,
    ...(reason === undefined ? {} : { reason }),
    ...(before === undefined ? {} : { before: toStanding(before) }),
    after: toStanding(after),
    ...(facts === undefined ? {} : { facts }),
  };
}

function toStanding({ state, owner }: z.output<typeof AuditStanding>): StoredStanding {
  return owner === undefined ? { state } : { state, owner };
}

/** The pseudonym and the user of an item that tells who it is. */
export function toNamedPerson(item: unknown): readonly [string, Uid] {
  const { uid, user } = z.object({ uid: z.string(), user: StoredUid }).parse(item);
  return [uid.slice('person#'.length), user];
}

/** Whether a cursor names an entry of an audit. */
export function isAuditRecord(record: string): boolean {
  return /^audit#\d{9}$/.test(record);
}

/** An entry of an owner's list. */
export interface OwnedDevice {
  readonly serial: Serial;
  readonly hwId: HwId;
  readonly thingName: string;
  readonly status: DeviceStatus;
  readonly claimedAt: string;
  readonly name?: string;
}

/** Whether a cursor names an entry of an owner's list, and nothing else in that partition. */
export function isOwnedRecord(record: string): boolean {
  return /^device#\d{6}$/.test(record);
}

/** A device as it lies in `provisioning`. @throws ZodError for an item that is none */
export function toDevice(item: unknown): Device {
  const stored = StoredDevice.parse(item);
  const { owner_uid: uid, claimed_at: claimedAt, claim_code_salt: salt, claim_code_hash: hash } = stored;
  return {
    hwId: stored.hw_id,
    serial: stored.serial,
    serialNumber: stored.serial_seq,
    status: stored.status,
    createdAt: stored.created_at,
    updatedAt: stored.updated_at,
    owner: uid === undefined || claimedAt === undefined ? null : { uid, claimedAt },
    claimCode: salt === undefined || hash === undefined ? null : { salt, hash },
    metadata: stored.metadata,
    publicKey: stored.public_key ?? null,
    revision: stored.revision,
  };
}

/** An entry of an owner's list as it lies in `users`. */
export function toOwned(item: unknown): OwnedDevice {
  const stored = StoredOwned.parse(item);
  return {
    serial: stored.serial,
    hwId: stored.hw_id,
    thingName: thingName(stored.serial),
    status: stored.status,
    claimedAt: stored.claimed_at,
    ...(stored.name === undefined ? {} : { name: stored.name }),
  };
}
