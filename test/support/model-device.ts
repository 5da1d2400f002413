import { CurrentTask, type DeviceWrite, type Seen, TaskQueue } from '@autowatering/device-data';
import { deviceBytes } from './device-bytes.ts';
import { clockBytes, startRow } from './garden-rows.ts';

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
  const rows = Array.from({ length: 8 }, (_, channel) => startRow(now() - 86_400_000, channel, 3));
  const ran: { readonly by: string; readonly at: number }[] = [];
  const accepted: string[] = [];

  const clockMs = (at: number) => (hasClock ? at : LOST_CLOCK_MS + (at % 86_400_000));

  const advance = () => {
    for (;;) {
      if (current !== undefined && current.endsAt > now()) return;
      const startsAt: number = current?.endsAt ?? now();
      current = undefined;
      const next = queue.shift();
      if (next === undefined) return;
      if (locked.has(next.channel)) continue;
      current = { ...next, endsAt: startsAt + next.minutes * 60_000 };
      rows.push(startRow(clockMs(startsAt), next.channel, next.minutes));
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
      const task = deviceBytes(CurrentTask, {
        ...{ channel_id: current?.channel ?? NO_CHANNEL, target: (current?.minutes ?? 0) * 60 },
        status: current === undefined ? 0 : 1,
      });
      const pending = deviceBytes(TaskQueue, { pending: queue.length });
      return [
        { characteristic: 'deff', bytes: task },
        { characteristic: 'def7', bytes: pending },
        { characteristic: 'def9', bytes: clockBytes(clockMs(now())) },
        ...rows.map((bytes) => ({ characteristic: 'defc' as const, bytes })),
      ];
    },
  };
}

export type ModelDevice = ReturnType<typeof modelDevice>;
