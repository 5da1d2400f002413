import { wateringRow } from '../meaning/watering-row.ts';
import { isDone, isIdle, isResetShown, TIMES_APART_MS, utcOf } from './evidence.ts';
import type { Intent, WaterAmount } from './intent.ts';
import { CLOCK, lastOf, ROW, readingsOf, type Seen, type ToRead } from './readings.ts';

/** Device and carrier may disagree about the time by so much. */
const CLOCKS_APART_MS = 120_000;
/** A device that has lost its clock counts from the beginning of 2023. */
const FIRST_TRUSTED_S = Date.UTC(2024, 0, 1) / 1000;

/**
 * What may have become of a write whose answer nobody got. `wait`: look again when the device is idle. `unclear`: it must
 * not be written again.
 */
export type Looked = 'done' | 'not_done' | 'unclear' | 'wait';

/** What to read before writing again, besides `readsOf`: the channel's history, and the clock that its times are by. */
export function looksOf(intent: Intent): readonly ToRead[] {
  return intent.kind === 'water'
    ? [{ characteristic: 'defc', channel: intent.channel }, { characteristic: 'def9' }]
    : [];
}

/**
 * Whether the device did what it was told, by what is seen of it now or by its history: a run that is over was seen to
 * start. Another run of the same length that began before does not count.
 *
 * @param firstTakenAt when the command was first taken by anybody, in milliseconds since 1970
 * @param now by the same clock
 */
export function isProven(intent: Intent, seen: readonly Seen[], firstTakenAt: number, now: number): boolean {
  if (isDone(intent, seen, now, firstTakenAt)) return true;
  if (intent.kind !== 'water') return false;
  const ahead = clockAhead(seen, now) ?? 0;
  return startsOf(intent, seen).some(({ epoch }) => epoch * 1000 - ahead >= firstTakenAt - TIMES_APART_MS);
}

/**
 * Looks before a command is written again. Only a run that is started twice does harm, and a reset that wipes what was set
 * since; everything else may be written again unless it is as wanted.
 *
 * A start leaves a row when the run begins, and none while it waits, so a busy device has to become idle first. Rows prove
 * nothing without a clock that is right, nor without an older row: the first row of an empty history is overwritten by the
 * second. A start like this one just before, or by a clock that was lost, may be this one or another: that is unclear.
 */
export function look(intent: Intent, seen: readonly Seen[], firstTakenAt: number, now: number): Looked {
  if (intent.kind === 'skip_next') return 'not_done';
  if (isProven(intent, seen, firstTakenAt, now)) return 'done';
  if (intent.kind === 'reset_channel') return isResetShown(intent, seen) ? 'unclear' : 'not_done';
  if (intent.kind !== 'water') return 'not_done';
  if (!isIdle(seen)) return 'wait';
  const mayBeOurs = startsOf(intent, seen).some((row) => isAfter(row, firstTakenAt) || row.epoch < FIRST_TRUSTED_S);
  const isClockRight = clockAhead(seen, now) !== undefined;
  const hasOlder = rowsOf(intent.channel, seen).some((row) => !isAfter(row, firstTakenAt));
  return isClockRight && hasOlder && !mayBeOurs ? 'not_done' : 'unclear';
}

/** How far the device's clock is ahead, in milliseconds; undefined if it was not read, or is wrong. */
function clockAhead(seen: readonly Seen[], now: number): number | undefined {
  const clock = lastOf(seen, CLOCK);
  const ahead = clock === undefined ? Number.NaN : utcOf(clock) - now;
  return Math.abs(ahead) <= CLOCKS_APART_MS ? ahead : undefined;
}

type Row = ReturnType<typeof rowsOf>[number];

function rowsOf(channel: number, seen: readonly Seen[]) {
  return readingsOf(seen, ROW).filter((row) => row.channel_id === channel);
}

function startsOf(intent: Extract<Intent, { kind: 'water' }>, seen: readonly Seen[]): readonly Row[] {
  return rowsOf(intent.channel, seen).filter((row) => isStart(row, intent));
}

function isAfter({ epoch }: Row, firstTakenAt: number): boolean {
  return epoch * 1000 >= firstTakenAt - 1000 - CLOCKS_APART_MS;
}

function isStart(row: Row, amount: WaterAmount): boolean {
  const meaning = wateringRow(row);
  if (meaning.kind !== 'start' || meaning.trigger === 'schedule') return false;
  const { unit, value } = meaning.target;
  return 'minutes' in amount
    ? unit === 'minutes' && value === amount.minutes
    : unit === 'litres' && value === amount.litres;
}
