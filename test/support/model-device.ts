import {
  CurrentTask,
  type DeviceWrite,
  HistoryDetailedEntry,
  Rtc,
  type Seen,
  TaskQueue,
} from '@autowatering/device-data';

const NO_CHANNEL = 0xff;
const NOT_PERMITTED = 0x03;
const MOST_QUEUED = 10;
const LOST_CLOCK_MS = Date.UTC(2023, 0, 1);

interface Task {
  readonly channel: number;
  readonly minutes: number;
  /** Who wrote it. */
  readonly by: string;
}

/**
 * The firmware's logic as far as starts and stops go: every write queues a run, also a repeated one; one run at a time; a
 * locked channel's run is dropped without a word; a run leaves a row when it begins; a reboot loses run and queue.
 */
export function modelDevice(now: () => number) {
  let queue: Task[] = [];
  let current: (Task & { readonly endsAt: number }) | undefined;
  let hasClock = true;
  const locked = new Set<number>();
  // Each channel has watered before: else the first row would be overwritten by the second.
  const rows = Array.from({ length: 8 }, (_, channel) => row({ channel, minutes: 3, by: '' }, now() - 86_400_000));
  const ran: { readonly by: string; readonly at: number }[] = [];
  const accepted: string[] = [];

  const clockMs = (at: number) => (hasClock ? at : LOST_CLOCK_MS + (at % 86_400_000));

  function row({ channel, minutes }: Task, at: number): Uint8Array {
    return HistoryDetailedEntry.write({
      ...{ epoch: Math.floor(at / 1000), channel_id: channel, event: 1, mode: 1, target: minutes },
      ...{ actual: 0, actual_copy: 0, trigger: 0, success: 0, error: 0, avg_flow_ml_s: 0, zero: new Uint8Array(6) },
    });
  }

  const advance = () => {
    for (;;) {
      if (current !== undefined && current.endsAt > now()) return;
      const startsAt: number = current?.endsAt ?? now();
      current = undefined;
      const next = queue.shift();
      if (next === undefined) return;
      if (locked.has(next.channel)) continue;
      current = { ...next, endsAt: startsAt + next.minutes * 60_000 };
      rows.push(row(next, clockMs(startsAt)));
      ran.push({ by: next.by, at: startsAt });
    }
  };

  return {
    ...{ ran, accepted, locked },
    isRunning: () => {
      advance();
      return current !== undefined || queue.length > 0;
    },
    loseClock: () => {
      hasClock = false;
    },
    reboot() {
      advance();
      queue = [];
      current = undefined;
    },
    /** @returns an ATT error, or 0 */
    write({ characteristic, bytes }: DeviceWrite, by: string): number {
      advance();
      const [first = 0, , low = 0, high = 0] = bytes;
      if (characteristic === 'def1') {
        if (queue.length >= MOST_QUEUED) return NOT_PERMITTED;
        queue.push({ channel: first, minutes: low + 256 * high, by });
        accepted.push(by);
      } else if (characteristic === 'def7') {
        if (bytes[6] === 5) queue = [];
      } else if (characteristic === 'deff' && first === 0) {
        if (current === undefined) return NOT_PERMITTED;
        current = undefined;
      }
      advance();
      return 0;
    },
    seen(): readonly Seen[] {
      advance();
      const shown = new Date(clockMs(now()));
      const task = CurrentTask.write({
        ...{ channel_id: current?.channel ?? NO_CHANNEL, start_uptime_s: 0, mode: 0 },
        ...{ target: (current?.minutes ?? 0) * 60, current: 0, total_volume_ml: 0 },
        ...{ status: current === undefined ? 0 : 1, reserved: 0 },
      });
      const pending = TaskQueue.write({
        ...{ pending: queue.length, completed: 0, current_channel: 0, task_type: 0, value: 0, command: 0 },
        ...{ task_id_to_delete: 0, active_task_id: 0 },
      });
      const clock = Rtc.write({
        ...{ year_minus_2000: shown.getUTCFullYear() - 2000, month: shown.getUTCMonth() + 1 },
        ...{ day: shown.getUTCDate(), hour: shown.getUTCHours(), minute: shown.getUTCMinutes() },
        ...{ second: shown.getUTCSeconds(), day_of_week: 0, utc_offset_min: 0, dst_active: 0 },
        reserved: new Uint8Array(6),
      });
      return [
        { characteristic: 'deff', bytes: task },
        { characteristic: 'def7', bytes: pending },
        { characteristic: 'def9', bytes: clock },
        ...rows.map((bytes) => ({ characteristic: 'defc' as const, bytes })),
      ];
    },
  };
}

export type ModelDevice = ReturnType<typeof modelDevice>;
