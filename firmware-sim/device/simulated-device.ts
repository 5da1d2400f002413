import { performance } from 'node:perf_hooks';
import { formatMcubootVersion } from '../../release-format/mcuboot-header.ts';
import type { TrustedKey } from '../../release-format/verify-image.ts';
import { type BootReport, boot } from '../bootloader/bootloader.ts';
import { createProductSlots, type Slots } from '../flash/layout.ts';
import type { DeviceClock } from '../smp/datetime.ts';
import { type DeviceIdentity, identityGroup } from '../smp/identity-group.ts';
import { confirmRunning, imageGroup } from '../smp/image-group.ts';
import { osGroup } from '../smp/os-group.ts';
import { SmpServer } from '../smp/server.ts';

/** Runs something later; real timers unless a test or a simulation has its own time. */
export interface Scheduler {
  after(ms: number, run: () => void): void;
}

export const realTime: Scheduler = {
  after: (ms, run) => {
    setTimeout(run, ms);
  },
};

export interface DeviceOptions {
  /** The image that the factory programmed into slot 0. */
  readonly firmware: Uint8Array;
  /** The keys that its bootloader trusts. */
  readonly keys: readonly TrustedKey[];
  readonly preventDowngrade?: boolean;
  /** Whether a new firmware confirms itself after its start, instead of waiting for the phone. */
  readonly confirmsItself?: boolean;
  /** `MCUMGR_TRANSPORT_NETBUF_SIZE`, and how many of them. */
  readonly bufferBytes?: number;
  readonly bufferCount?: number;
  readonly board?: string;
  /** What it signs with; without one it has no key, as devices of the first batches. */
  readonly identity?: DeviceIdentity;
  readonly scheduler?: Scheduler;
  /** What goes on while it runs, in milliseconds: its clock counts by it. */
  readonly uptime?: () => number;
  readonly slots?: Slots;
}

/** What the product's firmware is configured with (facts sheet, G5 and H1). */
const DEFAULT_BUFFER_BYTES = 2475;
const DEFAULT_BUFFER_COUNT = 4;
const DEFAULT_BOARD = 'arduino_nano_33_ble';
/** `CONFIG_MCUMGR_GRP_OS_RESET_MS`: the answer leaves first. */
const RESET_MS = 250;
const BOOT_MS = 50;
/** MCUboot's number for "swap using move". */
const SWAP_USING_MOVE = 3;

/** The irrigation controller: flash, bootloader, and an application that is reached over SMP. */
export class SimulatedDevice {
  readonly bufferBytes: number;
  readonly #options: DeviceOptions;
  readonly #slots: Slots;
  readonly #scheduler: Scheduler;
  readonly #resetListeners: (() => void)[] = [];
  #server: SmpServer | undefined;
  #lastBoot: BootReport;
  #boots = 0;

  constructor(options: DeviceOptions) {
    this.#options = options;
    this.#slots = options.slots ?? createProductSlots();
    this.#scheduler = options.scheduler ?? realTime;
    this.bufferBytes = options.bufferBytes ?? DEFAULT_BUFFER_BYTES;
    this.#slots.primary.eraseAll();
    this.#slots.primary.write(0, options.firmware);
    this.#lastBoot = this.#boot();
  }

  /** Whether an application runs, and so advertises and answers. */
  get isRunning(): boolean {
    return this.#server !== undefined;
  }

  get lastBoot(): BootReport {
    return this.#lastBoot;
  }

  /** How often it has booted since it was made. */
  get boots(): number {
    return this.#boots;
  }

  /** As mcumgr writes it; undefined while nothing runs. */
  get runningVersion(): string | undefined {
    const { running } = this.#lastBoot;
    return this.isRunning && running !== undefined ? formatMcubootVersion(running.header.version) : undefined;
  }

  /** Answers one buffer of SMP requests. */
  receive(packet: Uint8Array): Uint8Array[] {
    return this.#server?.handle(packet) ?? [];
  }

  onReset(listener: () => void): void {
    this.#resetListeners.push(listener);
  }

  /** The reset button, or power that comes back: everything in RAM is gone, the bootloader runs. */
  reset(): void {
    this.#server = undefined;
    for (const listener of this.#resetListeners) listener();
    this.#scheduler.after(BOOT_MS, () => {
      this.#lastBoot = this.#boot();
    });
  }

  #boot(): BootReport {
    this.#boots += 1;
    const { keys, preventDowngrade = false } = this.#options;
    const report = boot(this.#slots, { keys, preventDowngrade });
    if (report.running !== undefined) {
      if (this.#options.confirmsItself === true) confirmRunning(this.#slots);
      this.#server = this.#startApplication(formatMcubootVersion(report.running.header.version));
    }
    return report;
  }

  #startApplication(version: string): SmpServer {
    const { preventDowngrade = false, bufferCount = DEFAULT_BUFFER_COUNT, board = DEFAULT_BOARD } = this.#options;
    return new SmpServer({
      bufferBytes: this.bufferBytes,
      groups: [
        osGroup({
          bufferBytes: this.bufferBytes,
          bufferCount,
          bootloaderMode: SWAP_USING_MOVE,
          preventsDowngrade: preventDowngrade,
          reset: () => this.#scheduler.after(RESET_MS, () => this.reset()),
          tasks: () => TASKS,
          clock: deviceClock(this.#options.uptime ?? (() => performance.now())),
          info: { s: 'Zephyr', n: 'autowatering', r: version, m: 'arm', p: 'cortex-m4', i: board, o: 'Zephyr' },
        }),
        imageGroup(this.#slots),
        ...(this.#options.identity === undefined ? [] : [identityGroup(this.#options.identity, this.#slots)]),
      ],
    });
  }
}

/** The threads of the product's firmware; their stacks in words of 4 bytes. */
const TASKS = {
  main: { prio: 0, tid: 1, state: 2, stksiz: 1024, stkuse: 412 },
  smp: { prio: 3, tid: 2, state: 128, stksiz: 768, stkuse: 390 },
  'BT RX WQ': { prio: -8, tid: 3, state: 2, stksiz: 550, stkuse: 241 },
  irrigation: { prio: 5, tid: 4, state: 2, stksiz: 1024, stkuse: 305 },
  idle: { prio: 15, tid: 5, state: 128, stksiz: 80, stkuse: 17 },
} as const;

/** A clock that runs from when it was set, and is gone with the reset: each start of the application makes a new one. */
function deviceClock(uptime: () => number): DeviceClock {
  let set: { readonly time: number; readonly at: number } | undefined;
  return {
    now: () => (set === undefined ? undefined : set.time + uptime() - set.at),
    set(time) {
      set = { time, at: uptime() };
    },
  };
}
