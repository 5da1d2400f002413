import type { Firmware } from '../firmware/firmware.ts';
import type { Characteristic } from './characteristics.ts';
import type { Notifier } from './notifier.ts';

interface Repeat {
  readonly characteristic: Characteristic;
  readonly everyMs: number;
  readonly isDue: (firmware: Firmware, server: ServerState) => boolean;
}

interface ServerState {
  readonly value: (characteristic: Characteristic) => Uint8Array;
  readonly isCalibrating: () => boolean;
}

const isRunning = ({ waterer }: Firmware) => waterer.run !== undefined;

/** What is told again and again while it lasts (device sheet, §3). */
const REPEATS: readonly Repeat[] = [
  { characteristic: 'def2', everyMs: 200, isDue: ({ world }) => world.plumbing.mlPerMinute > 0 },
  { characteristic: 'deff', everyMs: 1_000, isDue: isRunning },
  {
    characteristic: 'def7',
    everyMs: 5_000,
    isDue: ({ waterer }) => waterer.run !== undefined || waterer.queue.tasks.length > 0,
  },
  { characteristic: 'def3', everyMs: 30_000, isDue: ({ state }) => state.code >= 1 && state.code <= 6 },
  { characteristic: 'def8', everyMs: 30_000, isDue: isRunning },
  { characteristic: 'defb', everyMs: 200, isDue: (_, { isCalibrating }) => isCalibrating() },
];

/** Plans them only while somebody is subscribed, so that a garden that nobody watches costs nothing. */
export class Repeats {
  readonly #firmware: Firmware;
  readonly #notifier: Notifier;
  readonly #server: ServerState;

  constructor(firmware: Firmware, notifier: Notifier, server: ServerState) {
    this.#firmware = firmware;
    this.#notifier = notifier;
    this.#server = server;
  }

  /** Something has changed: see what has to be repeated now. */
  arm(): void {
    for (const repeat of REPEATS) this.#arm(repeat);
  }

  #arm(repeat: Repeat): void {
    const { agenda } = this.#firmware;
    const { characteristic, everyMs, isDue } = repeat;
    // What is mostly so comes first: this is asked whenever anything happens.
    if (!this.#notifier.isSubscribed(characteristic) || !isDue(this.#firmware, this.#server)) return;
    const name = `repeat ${characteristic}`;
    if (agenda.has(name)) return;
    agenda.plan(name, agenda.now + everyMs, () => {
      if (!isDue(this.#firmware, this.#server)) return;
      this.#notifier.soon(characteristic, () => this.#server.value(characteristic));
      this.#arm(repeat);
    });
  }
}
