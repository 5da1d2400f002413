import { wateringRow } from '../meaning/watering-row.ts';
import { isDone, isIdle, utcOf } from './evidence.ts';
import type { Intent, WaterAmount } from './intent.ts';
import { CLOCK, lastOf, ROW, readingsOf, type Seen, type ToRead } from './readings.ts';

/** Device and carrier may disagree about the time by so much. */
const CLOCKS_APART_S = 120;

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
 * start.
 *
 * @param firstTakenAt when the command was first taken by anybody, in milliseconds since 1970
 */
export function isProven(intent: Intent, seen: readonly Seen[], firstTakenAt: number, now: number): boolean {
  if (isDone(intent, seen, now)) return true;
  return (
    intent.kind === 'water' &&
    rowsOf(intent.channel, seen).some((row) => isAfter(row, firstTakenAt) && isStart(row, intent))
  );
}

/**
 * Looks before a command is written again. Only a run that is started twice does harm; everything else may be written
 * again unless it is as wanted.
 *
 * A start leaves a row when the run begins, and none while it waits, so a busy device has to become idle first. Rows prove
 * nothing without a clock that is right, nor without an older row: the first row of an empty history is overwritten by the
 * second.
 */
export function look(intent: Intent, seen: readonly Seen[], firstTakenAt: number, now: number): Looked {
  if (intent.kind === 'skip_next') return 'not_done';
  if (isProven(intent, seen, firstTakenAt, now)) return 'done';
  if (intent.kind !== 'water') return 'not_done';
  if (!isIdle(seen)) return 'wait';
  const clock = lastOf(seen, CLOCK);
  const isClockRight = clock !== undefined && Math.abs(utcOf(clock) - now) <= CLOCKS_APART_S * 1000;
  const hasOlder = rowsOf(intent.channel, seen).some((row) => !isAfter(row, firstTakenAt));
  return isClockRight && hasOlder ? 'not_done' : 'unclear';
}

type Row = ReturnType<typeof rowsOf>[number];

function rowsOf(channel: number, seen: readonly Seen[]) {
  return readingsOf(seen, ROW).filter((row) => row.channel_id === channel);
}

function isAfter({ epoch }: Row, firstTakenAt: number): boolean {
  return epoch >= Math.floor(firstTakenAt / 1000) - CLOCKS_APART_S;
}

function isStart(row: Row, amount: WaterAmount): boolean {
  const meaning = wateringRow(row);
  if (meaning.kind !== 'start' || meaning.trigger === 'schedule') return false;
  const { unit, value } = meaning.target;
  return 'minutes' in amount
    ? unit === 'minutes' && value === amount.minutes
    : unit === 'litres' && value === amount.litres;
}
