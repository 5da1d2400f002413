import { dayOfNumber, numberOfDay } from './local-day.ts';
import type { DayEntry, RollUp } from './roll-up.ts';
import { TOTALS, type Totals, totalsBy } from './totals.ts';

/**
 * How roll-ups are stored: variable-length numbers (7 bits a byte, the low ones first), entries by the distance to the one
 * before, and of each entry only what is not 0. A month of three zones is about 700 bytes.
 */
const VERSION = 1;
const CHANNELS = 8;
const HOURS = 24;
const DAY_MS = 24 * 60 * 60_000;
/** The owner's days may begin before the stretch. */
const DAYS_BEFORE = 2;

/** @param from when the stretch begins, which the same must be told when it is read */
export function packRollUp(from: number, { days, startsByHour }: RollUp): Uint8Array {
  const first = firstDay(from);
  const entry = ({ day, channel, totals }: DayEntry) => ({
    key: (numberOfDay(day) - first) * CHANNELS + channel,
    totals,
  });
  const hours = Array.from({ length: HOURS }, (_, hour) => startsByHour[hour] ?? 0);
  return Uint8Array.from([VERSION, ...hours.flatMap(varint), ...entriesBytes(days.map(entry))]);
}

/** Throws for what `packRollUp` of a known version did not write. */
export function unpackRollUp(from: number, bytes: Uint8Array): RollUp {
  const first = firstDay(from);
  const numbers = openPacked(bytes);
  const startsByHour = Array.from({ length: HOURS }, () => numbers.next());
  return {
    days: readEntries(numbers).map(({ key, totals }) => ({
      day: dayOfNumber(first + Math.floor(key / CHANNELS)),
      channel: key % CHANNELS,
      totals,
    })),
    startsByHour,
  };
}

function firstDay(from: number): number {
  return Math.floor(from / DAY_MS) - DAYS_BEFORE;
}

interface Entry {
  readonly key: number;
  readonly totals: Totals;
}

/** @param entries by rising key */
function entriesBytes(entries: readonly Entry[]): number[] {
  let before = 0;
  return [
    ...varint(entries.length),
    ...entries.flatMap(({ key, totals }) => {
      const distance = key - before;
      before = key;
      const present = TOTALS.map((name, bit) => (totals[name] === 0 ? 0 : 2 ** bit)).reduce((sum, bit) => sum + bit, 0);
      return [distance, present, ...TOTALS.map((name) => totals[name]).filter((value) => value !== 0)].flatMap(varint);
    }),
  ];
}

function readEntries(numbers: Numbers): readonly Entry[] {
  let key = 0;
  const entries = Array.from({ length: numbers.next() }, () => {
    key += numbers.next();
    const present = numbers.next();
    const values = new Map(TOTALS.map((name, bit) => [name, (present & (1 << bit)) === 0 ? 0 : numbers.next()]));
    return { key, totals: totalsBy((name) => values.get(name) ?? 0) };
  });
  numbers.end();
  return entries;
}

function varint(value: number): number[] {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError('Roll-ups hold whole numbers from 0');
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  return [...bytes, rest];
}

interface Numbers {
  next(): number;
  end(): void;
}

function openPacked(bytes: Uint8Array): Numbers {
  if (bytes[0] !== VERSION) throw new RangeError(`No roll-up of version ${VERSION}`);
  let at = 1;
  return {
    next() {
      let value = 0;
      for (let factor = 1; ; factor *= 128) {
        const byte = bytes[at];
        if (byte === undefined) throw new RangeError('A roll-up is cut off');
        at += 1;
        value += (byte & 0x7f) * factor;
        if (byte < 0x80) return value;
      }
    },
    end() {
      if (at !== bytes.byteLength) throw new RangeError('A roll-up has bytes left over');
    },
  };
}
