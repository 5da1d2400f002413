import { HistoryDetailedEntry } from '../structures/history.ts';
import { HydraulicStatus, ResetControl } from '../structures/hydraulics.ts';
import { Alarm, CurrentTask, Rtc, TaskQueue, ValveControl } from '../structures/live-state.ts';
import type { Fields, Structure, ValuesOf } from '../structures/structure.ts';
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

/** A characteristic and how its bytes are read. */
interface Readable<S extends Fields> {
  readonly of: Seen['characteristic'];
  readonly structure: Structure<S>;
}

export const VALVE = { of: 'def1', structure: ValveControl } as const;
export const QUEUE = { of: 'def7', structure: TaskQueue } as const;
export const CLOCK = { of: 'def9', structure: Rtc } as const;
export const ALARM = { of: 'defa', structure: Alarm } as const;
export const ROW = { of: 'defc', structure: HistoryDetailedEntry } as const;
export const TASK = { of: 'deff', structure: CurrentTask } as const;
export const RESET = { of: 'de21', structure: ResetControl } as const;
export const LOCKS = { of: 'de22', structure: HydraulicStatus } as const;

/** All readings of one characteristic that have its layout, in order. */
export function readingsOf<S extends Fields>(
  seen: readonly Seen[],
  { of, structure }: Readable<S>,
): readonly ValuesOf<S>[] {
  return seen
    .filter(({ characteristic }) => characteristic === of)
    .map(({ bytes }) => structure.read(bytes))
    .filter((values) => values !== undefined);
}

export function lastOf<S extends Fields>(seen: readonly Seen[], what: Readable<S>): ValuesOf<S> | undefined {
  return readingsOf(seen, what).at(-1);
}

/** Of `deff`: nothing runs. */
export const NO_CHANNEL = 0xff;
