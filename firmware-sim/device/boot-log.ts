import type { BootReport } from '../bootloader/bootloader.ts';

/** Why the processor started over, as Zephyr's `hwinfo_get_reset_cause()` tells it. */
export type ResetReason = 'power_on' | 'pin' | 'software' | 'watchdog';

export interface BootRecord {
  /** Milliseconds on the simulation's clock. */
  readonly atMs: number;
  readonly reason: ResetReason;
  readonly report: BootReport;
}

const KEPT = 32;

/** The last boots of a device, and how many there were. */
export class BootLog {
  readonly #records: BootRecord[] = [];
  #count = 0;

  add(record: BootRecord): void {
    this.#count += 1;
    this.#records.push(record);
    if (this.#records.length > KEPT) this.#records.shift();
  }

  /** Oldest first; no more than the last 32. */
  get records(): readonly BootRecord[] {
    return this.#records;
  }

  get count(): number {
    return this.#count;
  }

  get last(): BootRecord | undefined {
    return this.#records.at(-1);
  }
}
