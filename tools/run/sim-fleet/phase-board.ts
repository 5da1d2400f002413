import type { DeviceRecord, FleetDevice, UpdatePhase } from '@autowatering/firmware-sim';

/** Counts devices by current phase, and finished ones by outcome. */
export class PhaseBoard {
  readonly #total: number;
  readonly #phases = new Map<FleetDevice, UpdatePhase>();
  readonly #outcomes = new Map<string, number>();
  #done = 0;

  constructor(total: number) {
    this.#total = total;
  }

  entered(device: FleetDevice, phase: UpdatePhase): void {
    this.#phases.set(device, phase);
  }

  ended(device: FleetDevice, record: DeviceRecord): void {
    this.#phases.delete(device);
    const outcome = record.visits.at(-1)?.outcome ?? 'never_visited';
    this.#outcomes.set(outcome, (this.#outcomes.get(outcome) ?? 0) + 1);
    this.#done += 1;
  }

  get share(): number {
    return this.#total === 0 ? 1 : this.#done / this.#total;
  }

  /** Formats two lines: outcomes so far, and current phases. */
  toString(): string {
    const now = new Map<string, number>();
    for (const phase of this.#phases.values()) now.set(phase, (now.get(phase) ?? 0) + 1);
    const list = (counts: ReadonlyMap<string, number>) =>
      [...counts].map(([name, count]) => `${name.replaceAll('_', ' ')} ${count}`).join(' · ');
    return `${this.#done} of ${this.#total} devices · ${list(this.#outcomes)}\n    ${list(now)}`;
  }
}
