import { FIRST_TRUSTED_EPOCH_S } from '../meaning/clock.ts';
import { wateringRow } from '../meaning/watering-row.ts';
import { isDone, isIdle } from './evidence.ts';
import type { Intent } from './intent.ts';
import { CLOCK, ROW, readingsOf, type Seen, type ToRead } from './readings.ts';

/** Device and carrier may disagree about the time by so much. */
const CLOCKS_APART_S = 120;

/** What may have become of a write whose answer nobody got. `unclear`: it must not be written again. */
export type Looked = 'done' | 'not_done' | 'unclear' | 'wait';

/** What to read before writing again, besides `readsOf`: the channel's history, and the clock that its times are by. */
export function looksOf(intent: Intent): readonly ToRead[] {
  return intent.kind === 'water'
    ? [{ characteristic: 'defc', channel: intent.channel }, { characteristic: 'def9' }]
    : [];
}

/**
 * Looks before a command is written again. Only a run that is started twice does harm; everything else may be written
 * again unless it is as wanted.
 *
 * A start leaves a row when the run begins, and none while it waits, so a busy device has to become idle first. Rows of a
 * device without a clock prove nothing.
 *
 * @param firstTakenAt when the command was first taken by anybody, in milliseconds since 1970
 */
export function look(intent: Intent, seen: readonly Seen[], firstTakenAt: number, now: number): Looked {
  if (intent.kind !== 'water') return isDone(intent, seen, now) && intent.kind !== 'skip_next' ? 'done' : 'not_done';
  if (isDone(intent, seen, now)) return 'done';
  const unit = 'minutes' in intent ? 'minutes' : 'litres';
  const value = 'minutes' in intent ? intent.minutes : intent.litres;
  const sinceS = Math.floor(firstTakenAt / 1000) - CLOCKS_APART_S;
  const rows = readingsOf(seen, ROW).filter(({ channel_id: channel }) => channel === intent.channel);
  const starts = rows.filter((row) => {
    const meaning = wateringRow(row);
    return (
      meaning.kind === 'start' &&
      meaning.target.unit === unit &&
      meaning.target.value === value &&
      meaning.trigger !== 'schedule'
    );
  });
  if (starts.some(({ epoch }) => epoch >= sinceS)) return 'done';
  if (!isIdle(seen)) return 'wait';
  const clock = readingsOf(seen, CLOCK).at(-1);
  const hasClock = clock !== undefined && 2000 + clock.year_minus_2000 >= 2024;
  const isRowUntimed = starts.some(({ epoch }) => epoch < FIRST_TRUSTED_EPOCH_S);
  return hasClock && !isRowUntimed ? 'not_done' : 'unclear';
}
