import type { Firmware } from '../firmware/firmware.ts';
import { ATT, AttError } from './att-error.ts';
import type { Characteristic } from './characteristics.ts';

/** Bytes of what the device sheet has a length of and no layout (its §1). */
const LENGTHS = {
  ...{ def4: 76, defe: 71, de00: 64, de19: 44, de20: 33 },
  ...{ '6781': 70, '6782': 16, '6783': 50, '6784': 8, '6785': 17, '6787': 22 },
} as const satisfies Partial<Record<Characteristic, number>>;

export type Opaque = keyof typeof LENGTHS;

/** Zeros, until something was written: nobody knows what it means, and the rest of the device does not heed it. */
export function opaqueBytes({ settings }: Firmware, characteristic: Opaque, channel: number): Uint8Array {
  return settings.opaque.get(keyOf(characteristic, channel)) ?? new Uint8Array(LENGTHS[characteristic]);
}

/** Keeps a whole structure as it is. @throws AttError 0x0D for another length; parts with a header are among these */
export function writeOpaque({ settings }: Firmware, characteristic: Opaque, channel: number, bytes: Uint8Array): void {
  const length = LENGTHS[characteristic];
  if (bytes.byteLength !== length) throw new AttError(ATT.invalid_length, `it has ${length} bytes`);
  settings.opaque.set(keyOf(characteristic, channel), bytes.slice());
}

function keyOf(characteristic: Opaque, channel: number): string {
  return `${characteristic} ${channel}`;
}
