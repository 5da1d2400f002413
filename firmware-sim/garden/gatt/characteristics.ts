const FIRST_BASE = '12345678-1234-5678-1234-56789abc';
const SECOND_BASE = '12345678-1234-5678-9abc-def12345';

interface Properties {
  readonly reads: boolean;
  readonly writes: boolean;
  readonly notifies: boolean;
  /** Least milliseconds between two notifications; values in between are dropped, the latest one wins. */
  readonly throttleMs: number;
}

const of = (how: string, throttleMs: number): Properties => ({
  ...{ reads: how.includes('R'), writes: how.includes('W'), notifies: how.includes('N'), throttleMs },
});

/** What the device offers beside SMP, by the end of its UUID: what the sheet gives at least a length of. */
export const CHARACTERISTICS = {
  def1: of('RWN', 50),
  def2: of('RN', 200),
  def3: of('RN', 50),
  def5: of('RWN', 200),
  def6: of('RWN', 200),
  def7: of('RWN', 50),
  def8: of('RWN', 200),
  def9: of('RWN', 1000),
  defa: of('RWN', 0),
  defb: of('RWN', 200),
  defc: of('RWN', 0),
  defd: of('RN', 1000),
  deff: of('RWN', 50),
  de12: of('RWN', 200),
  de13: of('RN', 1000),
  de14: of('RWN', 0),
  de15: of('RN', 1000),
  de16: of('RWN', 0),
  de17: of('RWN', 1000),
  de18: of('RN', 1000),
  de21: of('RWN', 1000),
  de22: of('RWN', 1000),
  de60: of('R', 0),
  '6793': of('RWN', 200),
  // Lengths only (`opaque-values.ts`). Packs (6786, 6788, 6789) have not even that, and are not there.
  def4: of('RWN', 200),
  defe: of('RWN', 200),
  de00: of('RWN', 1000),
  de19: of('RWN', 200),
  de20: of('RN', 1000),
  '6781': of('RWN', 200),
  '6782': of('RN', 1000),
  '6783': of('RWN', 200),
  '6784': of('RWN', 200),
  '6785': of('RWN', 200),
  '6787': of('R', 0),
} as const;

export type Characteristic = keyof typeof CHARACTERISTICS;

export function isCharacteristic(tail: string): tail is Characteristic {
  return Object.hasOwn(CHARACTERISTICS, tail);
}

/** The whole UUID. */
export function uuidOf(characteristic: Characteristic): string {
  return `${characteristic.startsWith('67') ? SECOND_BASE : FIRST_BASE}${characteristic}`;
}
