import { HistoryDetailedEntry } from '../structures/history.ts';
import { HydraulicStatus, ResetControl, Schedule } from '../structures/hydraulics.ts';
import { Alarm, CurrentTask, Rtc, TaskQueue, TimeZoneRule, ValveControl } from '../structures/live-state.ts';
import type { Intent } from './intent.ts';

/** What a carrier may show as evidence. `defc`: one row of 24 bytes of the detailed history. */
export const READABLE = [
  ...(['def1', 'def3', 'def5', 'def7', 'def9', 'defa', 'defc', 'deff', 'de18', 'de21', 'de22', '6793'] as const),
] as const;

/** A characteristic as it was read or notified, by the last four hex digits of its UUID. In the order seen. */
export interface Seen {
  readonly characteristic: (typeof READABLE)[number];
  readonly bytes: Uint8Array;
}

/** What to read; `channel`: write this one byte to the characteristic first. */
export interface ToRead {
  readonly characteristic: Seen['characteristic'];
  readonly channel?: number;
}

/** What to read before a command is written, and to watch afterwards until `isDone`. */
export function readsOf(intent: Intent): readonly ToRead[] {
  switch (intent.kind) {
    case 'water':
    case 'skip_next':
    case 'stop':
    case 'pause':
    case 'resume':
    case 'start_next':
    case 'clear_queue':
      return [{ characteristic: 'deff' }, { characteristic: 'def7' }];
    case 'set_schedule':
      return [{ characteristic: 'def5', channel: intent.channel }];
    case 'set_clock':
      return [{ characteristic: 'def9' }, { characteristic: '6793' }];
    case 'set_time_zone':
      return [{ characteristic: '6793' }];
    case 'clear_alarm':
      return [{ characteristic: 'defa' }];
    case 'reset_channel':
      return [{ characteristic: 'de21' }];
  }
}

const STRUCTURES = {
  def1: ValveControl,
  def5: Schedule,
  def7: TaskQueue,
  def9: Rtc,
  defa: Alarm,
  defc: HistoryDetailedEntry,
  deff: CurrentTask,
  de21: ResetControl,
  de22: HydraulicStatus,
  '6793': TimeZoneRule,
} as const;
type Structures = typeof STRUCTURES;
export type Known = keyof Structures;

/** All readings of one characteristic that have its layout, in order. */
export function readingsOf<K extends Known>(
  seen: readonly Seen[],
  characteristic: K,
): readonly NonNullable<ReturnType<Structures[K]['read']>>[] {
  const structure: { read(bytes: Uint8Array): ReturnType<Structures[K]['read']> } = STRUCTURES[characteristic];
  return seen.flatMap((one) => {
    if (one.characteristic !== characteristic) return [];
    const values = structure.read(one.bytes);
    return values === undefined ? [] : [values];
  });
}

export function lastOf<K extends Known>(seen: readonly Seen[], characteristic: K) {
  return readingsOf(seen, characteristic).at(-1);
}

/** Of `deff`: nothing runs. */
export const NO_CHANNEL = 0xff;
