import type { Task } from './run.ts';

/** What `def8` shows of a channel. */
export interface ChannelStatistics {
  totalMl: number;
  lastMl: number;
  /** When a scheduled task was last queued. */
  lastEpochS: number;
  count: number;
}

const ML_PER_MINUTE = 100;

/** The firmware's guesses, kept until it restarts: nothing of it is measured (device sheet, §0.3). */
export class Statistics {
  readonly #channels: readonly ChannelStatistics[];

  constructor(channels: number) {
    this.#channels = Array.from({ length: channels }, () => ({ totalMl: 0, lastMl: 0, lastEpochS: 0, count: 0 }));
  }

  of(channel: number): ChannelStatistics {
    const found = this.#channels[channel];
    if (found === undefined) throw new RangeError(`there is no channel ${channel}`);
    return found;
  }

  completed({ channel, mode, value }: Task): void {
    const statistics = this.of(channel);
    const ml = mode === 'litres' ? value * 1000 : value * ML_PER_MINUTE;
    Object.assign(statistics, { totalMl: ml, lastMl: ml, count: 1 });
  }

  restart(): void {
    for (const statistics of this.#channels) {
      Object.assign(statistics, { totalMl: 0, lastMl: 0, lastEpochS: 0, count: 0 });
    }
  }
}
