import { type HwId, isHwId, isSerial, isUid, type Serial, type Uid } from '../../platform/ids.ts';
import {
  either,
  type Fields,
  fields,
  flag,
  number,
  oneOf,
  optional,
  recordOf,
  type Shape,
  text,
  textThat,
  withDefault,
} from '../../platform/shapes.ts';
import type { StoredAuditEntry, StoredStanding } from '../audit/audit.ts';
import {
  DEFAULT_BOARD,
  DEVICE_STATUSES,
  type Device,
  type DeviceStatus,
  type HashedCode,
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

/** Stored values were checked when they were written; these restore their types. */
const uid = textThat(isUid, 'a user id');
const hwId = textThat(isHwId, 'a hardware id');
const serial = textThat(isSerial, 'a serial');
const person = textThat(isPerson, 'a pseudonym');
const status = oneOf(DEVICE_STATUSES);
const metadata = recordOf(either(text, either(number, flag)));

const DEVICE = {
  hw_id: hwId,
  serial,
  serial_seq: number,
  status,
  created_at: text,
  updated_at: text,
  owner_uid: optional(uid),
  claimed_at: optional(text),
  claim_code_salt: optional(text),
  claim_code_hash: optional(text),
  claim_code_untold: withDefault(flag, false),
  uncounted_station: optional(text),
  metadata: withDefault(metadata, {}),
  public_key: optional(text),
  transfer_salt: optional(text),
  transfer_hash: optional(text),
  transfer_expires_at: optional(number),
  board: withDefault(text, DEFAULT_BOARD),
  batch: optional(text),
  firmware_version: optional(text),
  firmware_seen_at: optional(text),
  firmware_changes: withDefault(number, 0),
  former_person: optional(person),
  replaced_by: optional(serial),
  revision: number,
};
const readDevice = fields(DEVICE);

const PERSONAL = { name: optional(text), settings: optional(metadata) };

/** A former owner's name and settings, kept for the replacement unit. */
const readFormer = fields({ record: text, serial, hw_id: hwId, revoked_at: text, ...PERSONAL });

export interface FormerDevice extends Personal {
  readonly serial: Serial;
  readonly hwId: HwId;
  readonly revokedAt: string;
}

export function toFormer(item: unknown): FormerDevice {
  const stored = readFormer(item);
  return { serial: stored.serial, hwId: stored.hw_id, revokedAt: stored.revoked_at, ...personalOf(stored) };
}

const readOwned = fields({ record: text, serial, hw_id: hwId, status, claimed_at: text, ...PERSONAL });

const standing: Shape<StoredStanding> = fields({ state: text, owner: optional(person) });

const readAudit = fields({
  action: text,
  actor: text,
  timestamp: text,
  reason: optional(text),
  before: optional(standing),
  after: standing,
  facts: optional(metadata),
});

/** @throws ShapeError for an item that is not an audit entry */
export function toAuditEntry(item: unknown): StoredAuditEntry {
  return readAudit(item);
}

const readPerson = fields({ uid: text, user: uid });

/** The pseudonym and the user of an item that maps one to the other. */
export function toNamedPerson(item: unknown): readonly [string, Uid] {
  const { uid: key, user } = readPerson(item);
  return [key.slice('person#'.length), user];
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

/** A device as stored in `provisioning`. @throws ShapeError for an item that is not a device */
export function toDevice(item: unknown): Device {
  const stored = readDevice(item);
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

function toTransfer(stored: Fields<typeof DEVICE>): Device['transfer'] {
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
  const stored = readOwned(item);
  return {
    serial: stored.serial,
    hwId: stored.hw_id,
    thingName: thingName(stored.serial),
    status: stored.status,
    claimedAt: stored.claimed_at,
    ...personalOf(stored),
  };
}
