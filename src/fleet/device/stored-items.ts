import * as z from 'zod';
import type { HwId, Serial, Uid } from '../../platform/ids.ts';
import type { StoredAuditEntry, StoredStanding } from '../audit/audit.ts';
import {
  DEFAULT_BOARD,
  type Device,
  DeviceStatus,
  type HashedCode,
  MetadataValue,
  StoredHwId,
  StoredSerial,
  StoredUid,
  thingName,
} from './device.ts';
import { type DeviceChanges, type Personal, personalOf } from './lifecycle.ts';
import { isPerson } from './person.ts';

/** Layout version of the items below; a change needs the next number and a migration. */
export const SCHEMA = 1;

export const AUDIT_PREFIX = 'audit#';

/** A partition for the user, apart from their records; its key identifies nobody. */
export function personKey(person: string, hwId: HwId | undefined) {
  return { uid: `person#${person}`, record: `device#${hwId ?? ''}` };
}

/** Entries of an owner's list are named after the device's serial. */
export const OWNED_PREFIX = 'device#';
/** What is kept of a device that was revoked while the user owned it. */
export const FORMER_PREFIX = 'former#';

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
  claim_code_untold: z.boolean().default(false),
  uncounted_station: z.string().optional(),
  metadata: z.record(z.string(), MetadataValue).default({}),
  public_key: z.string().optional(),
  transfer_salt: z.string().optional(),
  transfer_hash: z.string().optional(),
  transfer_expires_at: z.number().optional(),
  board: z.string().default(DEFAULT_BOARD),
  batch: z.string().optional(),
  firmware_version: z.string().optional(),
  firmware_seen_at: z.string().optional(),
  firmware_changes: z.number().default(0),
  former_person: z.string().refine(isPerson).optional(),
  replaced_by: StoredSerial.optional(),
  revision: z.number(),
});

const personal = {
  name: z.string().exactOptional(),
  settings: z.record(z.string(), MetadataValue).exactOptional(),
};

/** A former owner's name and settings, kept for the replacement unit. */
const StoredFormer = z.object({
  record: z.string(),
  serial: StoredSerial,
  hw_id: StoredHwId,
  revoked_at: z.string(),
  ...personal,
});

export interface FormerDevice extends Personal {
  readonly serial: Serial;
  readonly hwId: HwId;
  readonly revokedAt: string;
}

export function toFormer(item: unknown): FormerDevice {
  const stored = StoredFormer.parse(item);
  return { serial: stored.serial, hwId: stored.hw_id, revokedAt: stored.revoked_at, ...personalOf(stored) };
}

const StoredOwned = z.object({
  record: z.string(),
  serial: StoredSerial,
  hw_id: StoredHwId,
  status: DeviceStatus,
  claimed_at: z.string(),
  ...personal,
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

/** @throws ZodError for an item that is not an audit entry */
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

/** The pseudonym and the user of an item that maps one to the other. */
export function toNamedPerson(item: unknown): readonly [string, Uid] {
  const { uid, user } = z.object({ uid: z.string(), user: StoredUid }).parse(item);
  return [uid.slice('person#'.length), user];
}

/** Whether a cursor names an audit entry. */
export function isAuditRecord(record: string): boolean {
  return /^audit#\d{9}$/.test(record);
}

/** An entry of an owner's list. */
export interface OwnedDevice extends Personal {
  readonly serial: Serial;
  readonly hwId: HwId;
  readonly thingName: string;
  readonly status: DeviceStatus;
  readonly claimedAt: string;
}

/** Whether a cursor names an entry of an owner's list, and nothing else in that partition. */
export function isOwnedRecord(record: string): boolean {
  return /^device#\d{6}$/.test(record);
}

/** A device as stored in `provisioning`. @throws ZodError for an item that is not a device */
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
    claimCode: hash === undefined ? null : hashedCode(hash, salt),
    isCodeUntold: stored.claim_code_untold,
    uncountedStation: stored.uncounted_station ?? null,
    metadata: stored.metadata,
    transfer: toTransfer(stored),
    publicKey: stored.public_key ?? null,
    board: stored.board,
    batch: stored.batch ?? null,
    firmware:
      stored.firmware_version === undefined || stored.firmware_seen_at === undefined
        ? null
        : {
            version: stored.firmware_version,
            seenAt: stored.firmware_seen_at,
            changesThatDay: stored.firmware_changes,
          },
    formerOwner: stored.former_person ?? null,
    replacedBy: stored.replaced_by ?? null,
    revision: stored.revision,
  };
}

function toTransfer(stored: z.output<typeof StoredDevice>): Device['transfer'] {
  const { transfer_salt: salt, transfer_hash: hash, transfer_expires_at: expiresAt } = stored;
  return hash === undefined || expiresAt === undefined ? null : { ...hashedCode(hash, salt), expiresAt };
}

function hashedCode(hash: string, salt: string | undefined): HashedCode {
  return salt === undefined ? { hash } : { hash, salt };
}

/** A device's own attributes as a step changes them: which to set and which to remove. */
export function fromChanges(changes: DeviceChanges): {
  readonly set: Readonly<Record<string, string | number>>;
  readonly remove: readonly string[];
} {
  const { firmware, transfer, claimCode, formerOwner, replacedBy } = changes;
  return {
    set: {
      ...(firmware === undefined
        ? {}
        : {
            firmware_version: firmware.version,
            firmware_seen_at: firmware.seenAt,
            firmware_changes: firmware.changesThatDay,
          }),
      ...(transfer === undefined || transfer === null
        ? {}
        : {
            transfer_hash: transfer.hash,
            transfer_expires_at: transfer.expiresAt,
            ...(transfer.salt === undefined ? {} : { transfer_salt: transfer.salt }),
          }),
      ...(claimCode === undefined
        ? {}
        : {
            claim_code_hash: claimCode.hash,
            ...(claimCode.salt === undefined ? {} : { claim_code_salt: claimCode.salt }),
          }),
      ...(formerOwner === undefined || formerOwner === null ? {} : { former_person: formerOwner }),
      ...(replacedBy === undefined ? {} : { replaced_by: replacedBy }),
    },
    remove: [
      ...(transfer === null ? ['transfer_salt', 'transfer_hash', 'transfer_expires_at'] : []),
      // A keyed hash has no salt; a salt left from the previous hash would make it unreadable.
      ...(transfer !== undefined && transfer !== null && transfer.salt === undefined ? ['transfer_salt'] : []),
      ...(claimCode !== undefined && claimCode.salt === undefined ? ['claim_code_salt'] : []),
      ...(formerOwner === null ? ['former_person'] : []),
      // Whoever requested a new code received it.
      ...(claimCode === undefined ? [] : ['claim_code_untold']),
    ],
  };
}

/** An entry of an owner's list as stored in `users`. */
export function toOwned(item: unknown): OwnedDevice {
  const stored = StoredOwned.parse(item);
  return {
    serial: stored.serial,
    hwId: stored.hw_id,
    thingName: thingName(stored.serial),
    status: stored.status,
    claimedAt: stored.claimed_at,
    ...personalOf(stored),
  };
}
