import { type HwId, isSerial, type Serial, type Uid } from '../../platform/ids.ts';
import type { Person } from './person.ts';

/** The board of a device when the factory doesn't give one. */
export const DEFAULT_BOARD = 'arduino_nano_33_ble';

/** The last possible serial: six digits are printed on the housing (contract, "Fleet"). */
export const LAST_SERIAL_NUMBER = 999_999;
const LOW_SHARE = 0.9;

/** At nine in ten somebody has to decide how serials continue: labels, app and tables assume six digits. */
export function isSerialSpaceLow(serial: string): boolean {
  return Number(serial) >= LOW_SHARE * LAST_SERIAL_NUMBER;
}

/** Sealed and not yet sold; ready to be claimed; out of service. A claimed device is `active` and has an owner. */
export const DEVICE_STATUSES = ['factory_only', 'active', 'revoked'] as const;
export type DeviceStatus = (typeof DEVICE_STATUSES)[number];

/** A device's lifecycle state: its status, taking the owner into account. */
export const FLEET_STATES = ['factory_only', 'active', 'claimed', 'revoked'] as const;
export type FleetState = (typeof FLEET_STATES)[number];

export type Metadata = Readonly<Record<string, string | number | boolean>>;

export interface Ownership {
  readonly uid: Uid;
  /** RFC 3339. */
  readonly claimedAt: string;
}

/** A code of which only the hash is stored (`ownership/code-hashes.ts`). */
export interface HashedCode {
  readonly hash: string;
  /** Of a hash from before there was a key. */
  readonly salt?: string;
}

export interface SeenFirmware {
  readonly version: string;
  /** When the device was first seen with it (RFC 3339). */
  readonly seenAt: string;
  /** How often its firmware changed on that day. */
  readonly changesThatDay: number;
}

export interface Device {
  readonly hwId: HwId;
  readonly serial: Serial;
  readonly serialNumber: number;
  readonly status: DeviceStatus;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly owner: Ownership | null;
  readonly claimCode: HashedCode | null;
  /** Whether the claim code was created but, as far as is known, never sent to the factory. */
  readonly isCodeUntold: boolean;
  /** The station that provisioned it, until the device is in the counts and the audit. */
  readonly uncountedStation: string | null;
  /** The owner's offer to the next owner, and its expiry (milliseconds since 1970). */
  readonly transfer: (HashedCode & { readonly expiresAt: number }) | null;
  readonly metadata: Metadata;
  readonly publicKey: string | null;
  readonly board: string;
  readonly batch: string | null;
  /** The firmware it ran when it was last seen. */
  readonly firmware: SeenFirmware | null;
  /** Of a revoked device: its former owner, as long as that account exists. */
  readonly formerOwner: Person | null;
  /** Of a revoked device: the unit that replaced it. */
  readonly replacedBy: Serial | null;
  /** How many steps it has taken. Each step starts from the revision that was read, which numbers its audit entry. */
  readonly revision: number;
}

export function fleetStateOf({ status, owner }: Pick<Device, 'status' | 'owner'>): FleetState {
  return status === 'active' && owner !== null ? 'claimed' : status;
}

export function serialOf(number: number): Serial {
  const serial = String(number).padStart(6, '0');
  if (!isSerial(serial)) throw new Error(`serial number ${number} does not fit six digits`);
  return serial;
}

export function thingName(serial: Serial): string {
  return `autowatering-${serial}`;
}
