import { randomBytes, randomUUID } from 'node:crypto';

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** A Cognito user: the token's `sub`. */
export type Uid = Branded<'Uid'>;
/** A device's hardware id: 8–64 characters of `[A-F0-9:_-]`. */
export type HwId = Branded<'HwId'>;
/** Six digits, as printed on the device. */
export type Serial = Branded<'Serial'>;

/** One installation of a user's with a key of its own: a UUID. */
export type PeerId = Branded<'PeerId'>;

const HW_ID = /^[A-F0-9:_-]{8,64}$/;
/** A hardware id as people and phones write it. */
export const HW_ID_IN_ANY_CASE = /^[A-Fa-f0-9:_-]{8,64}$/;
const SERIAL = /^\d{6}$/;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export function isUid(value: string): value is Uid {
  return value.length >= 1 && value.length <= 128;
}

export function isHwId(value: string): value is HwId {
  return HW_ID.test(value);
}

export function isSerial(value: string): value is Serial {
  return SERIAL.test(value);
}

export function isPeerId(value: string): value is PeerId {
  return UUID.test(value);
}

/** The source of randomness, replaceable in tests. */
export interface Randomness {
  id(): string;
  bytes(count: number): Buffer;
  /** A number in [0, 1): for jitter only, never for a secret. */
  fraction(): number;
}

export const systemRandomness: Randomness = {
  id: () => randomUUID(),
  bytes: (count) => randomBytes(count),
  fraction: () => Math.random(),
};
