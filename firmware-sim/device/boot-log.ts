import type { BootReport } from '../bootloader/bootloader.ts';

/** Why the processor restarted, as Zephyr's `hwinfo_get_reset_cause()` reports it. */
export type ResetReason = 'power_on' | 'pin' | 'software' | 'watchdog';

export interface BootRecord {
  /** Milliseconds on the simulation's clock. */
  readonly atMs: number;
  readonly reason: ResetReason;
  readonly report: BootReport;
}

const KEPT = 32;

/** A device's latest boots and their total number. */
export class BootLog {
  readonly #records: BootRecord[] = [];
  #count = 0;

  add(record: BootRecord): void {
    this.#count += 1;
    this.#records.push(record);
    if (this.#records.length > KEPT) this.#records.shift();
  }

  /** Oldest first; at most the last 32. */
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
