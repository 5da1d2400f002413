import { formatMcubootVersion } from '@autowatering/release-format';
import { type BootloaderOptions, type BootReport, boot, type RunningImage } from '../bootloader/bootloader.ts';
import { createSecurityCounter } from '../bootloader/image-rules.ts';
import { swapUsingMove } from '../bootloader/swap-move.ts';
import { createProductFlash, type FlashMap } from '../flash/layout.ts';
import { PowerCutError } from '../flash/power-supply.ts';
import { confirmRunning } from '../smp/image-group.ts';
import { SettingsStore } from '../smp/settings-group.ts';
import { realTime, type Scheduler } from '../time/scheduler.ts';
import { PRODUCT_BEHAVIOUR, WATCHDOG_MS } from './application.ts';
import { BootLog, type ResetReason } from './boot-log.ts';
import { DEFAULT_BOARD, DEFAULT_BUFFER_BYTES, DEFAULT_BUFFER_COUNT, type DeviceOptions } from './device-options.ts';
import { type FirmwareMemory, type FirmwareServices, PRODUCT_SETTINGS, smpService, startedMemory } from './firmware.ts';
import type { Requester, RequestQueue } from './request-queue.ts';

/** `CONFIG_MCUMGR_GRP_OS_RESET_MS`: the answer leaves first. */
const RESET_MS = 250;
const BOOT_MS = 50;

/** `off`: no power. `starting`: bootloader or self-test. `hung`: the watchdog will come. `stuck`: no image may run. */
export type DeviceState = 'off' | 'starting' | 'running' | 'hung' | 'stuck';

/** The irrigation controller: flash, bootloader, and an application that is reached over SMP. */
export class SimulatedDevice {
  readonly bufferBytes: number;
  /** `CONFIG_MCUMGR_TRANSPORT_BT_REASSEMBLY`: whether it puts the fragments of a packet together. */
  readonly reassembles: boolean;
  readonly #options: DeviceOptions;
  readonly #flash: FlashMap;
  readonly #time: Scheduler;
  readonly #log = new BootLog();
  readonly #resetListeners = new Set<() => void>();
  readonly #bootloader: BootloaderOptions;
  #services: FirmwareServices | undefined;
  #state: DeviceState = 'off';
  #memory: FirmwareMemory | undefined;
  #requests: RequestQueue | undefined;
  /** Each reset begins another life; what an earlier one had still to do is not done. */
  #life = 0;

  constructor(options: DeviceOptions) {
    this.#options = options;
    this.#flash = options.flash ?? createProductFlash();
    this.#time = options.time ?? realTime;
    this.bufferBytes = options.bufferBytes ?? DEFAULT_BUFFER_BYTES;
    this.reassembles = options.reassembles ?? true;
    if ((options.bufferCount ?? DEFAULT_BUFFER_COUNT) < 2) {
      throw new RangeError('a request and its answer need two buffers');
    }
    const { keys, mode = swapUsingMove, preventDowngrade = false, checksDependencies = false } = options;
    const counter = options.keepsSecurityCounter === true ? { securityCounter: createSecurityCounter() } : {};
    this.#bootloader = { keys, mode, preventDowngrade, checksDependencies, ...counter };
    this.#flash.primary.eraseAll();
    this.#flash.primary.write(0, options.firmware);
    this.#flash.takeBusyMs();
    this.#boot('power_on');
  }

  get state(): DeviceState {
    return this.#state;
  }

  /** Whether an application runs, and so advertises and answers. */
  get isRunning(): boolean {
    return this.#state === 'running';
  }

  get bootLog(): Pick<BootLog, 'records' | 'count'> {
    return this.#log;
  }

  /** The boot that is the newest; undefined when the very first one was cut off. */
  get lastBoot(): BootReport | undefined {
    return this.#log.last?.report;
  }

  /** How often it has booted since it was made. */
  get boots(): number {
    return this.#log.count;
  }

  /** As mcumgr writes it; undefined while nothing runs. */
  get runningVersion(): string | undefined {
    const image = this.#running();
    return image === undefined ? undefined : formatMcubootVersion(image.version);
  }

  /** What lies in a slot, as a programmer reads it out. */
  slotBytes(slot: 0 | 1, length: number): Uint8Array {
    return (slot === 0 ? this.#flash.primary : this.#flash.secondary).read(0, length);
  }

  /** A cell of a slot loses its charge, and reads 0 from now on. */
  damage(slot: 0 | 1, offset: number): void {
    const area = slot === 0 ? this.#flash.primary : this.#flash.secondary;
    area.write(offset - (offset % area.writeBlockBytes), new Uint8Array(area.writeBlockBytes));
  }

  /** Takes one buffer of SMP requests; each answer goes to the requester, as soon as it is there. */
  accept(packet: Uint8Array, requester: Requester): void {
    const image = this.#running();
    if (image === undefined) return;
    this.#requests ??= this.#listen(image);
    this.#requests.accept(packet, requester);
  }

  /** Its connection is gone. */
  forget(requester: Requester): void {
    this.#requests?.forget(requester);
    // Thousands of devices wait for a phone: what is only needed with one is made anew.
    if (this.#requests?.isIdle !== true) return;
    this.#requests = undefined;
    this.#flash.settle();
  }

  /**
   * Told whenever the application ends: by a reset, or because the power went.
   *
   * @returns what ends that
   */
  onReset(listener: () => void): () => void {
    this.#resetListeners.add(listener);
    return () => this.#resetListeners.delete(listener);
  }

  /** Everything in RAM is gone, and the bootloader runs: the reset button, unless told otherwise. */
  reset(reason: ResetReason = 'pin'): void {
    if (this.#state === 'off') return;
    this.#stop('starting');
    this.#later(BOOT_MS, () => this.#boot(reason));
  }

  /** The power goes: now, or at the flash operation after that many more. */
  cutPower(after?: { readonly flashOperations: number; readonly how?: 'before' | 'middle' }): void {
    if (after !== undefined) {
      this.#flash.power.failAfter(after.flashOperations, after.how);
      return;
    }
    this.#flash.power.fail();
    this.#stop('off');
  }

  /** The application hangs in whatever it does; the watchdog, which nobody feeds any more, resets it. */
  hang(): void {
    if (!this.isRunning) return;
    this.#stop('hung');
    this.#later(WATCHDOG_MS, () => this.reset('watchdog'));
  }

  /** The power comes back, and the device boots. */
  restorePower(): void {
    if (this.#state !== 'off') return;
    this.#flash.power.restore();
    this.#stop('starting');
    this.#later(BOOT_MS, () => this.#boot('power_on'));
  }

  #running(): RunningImage | undefined {
    return this.isRunning ? this.#log.last?.report.running : undefined;
  }

  #boot(reason: ResetReason): void {
    this.#state = 'starting';
    const report = this.#powered(() => boot(this.#flash, this.#bootloader));
    if (report === undefined) return;
    this.#flash.settle();
    this.#later(this.#flash.takeBusyMs(), () => {
      this.#log.add({ atMs: this.#time.now(), reason, report });
      if (report.running === undefined) this.#state = 'stuck';
      else this.#startApplication(report.running);
    });
  }

  #startApplication(image: RunningImage): void {
    const behaviour = { ...PRODUCT_BEHAVIOUR, ...this.#options.application?.(image) };
    if (behaviour.selfTest === 'hangs') {
      this.#state = 'hung';
      this.#later(WATCHDOG_MS, () => this.reset('watchdog'));
      return;
    }
    this.#later(behaviour.selfTestMs, () => {
      if (behaviour.selfTest === 'fails') this.reset('software');
      else {
        this.#state = 'running';
        if (behaviour.confirms === 'itself') this.#powered(() => confirmRunning(this.#flash));
      }
    });
  }

  #listen(image: RunningImage): RequestQueue {
    const { bufferCount = DEFAULT_BUFFER_COUNT, board = DEFAULT_BOARD, cbor = 'definite' } = this.#options;
    const { identity, isBusy } = this.#options;
    this.#services ??= {
      ...{ bufferBytes: this.bufferBytes, bufferCount, board, cbor, flash: this.#flash, time: this.#time },
      ...{ bootloader: this.#bootloader, bootLog: this.#log, ...(identity && { identity }), ...(isBusy && { isBusy }) },
      settings: new SettingsStore(PRODUCT_SETTINGS),
      reset: () => this.#later(RESET_MS, () => this.reset('software')),
      powered: (work) => this.#powered(work),
    };
    this.#memory ??= startedMemory(this.#services);
    return smpService(image, this.#services, this.#memory);
  }

  /** Does what needs the flash; undefined when the power went before it was done. */
  #powered<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof PowerCutError)) throw error;
      this.#stop('off');
      return undefined;
    }
  }

  #stop(next: DeviceState): void {
    this.#life += 1;
    this.#state = next;
    this.#requests?.stop();
    this.#requests = undefined;
    this.#memory = undefined;
    this.#flash.takeBusyMs();
    for (const listener of [...this.#resetListeners]) listener();
  }

  /** Runs it then, unless a reset or a power cut comes first. */
  #later(ms: number, run: () => void): void {
    if (ms === 0) {
      run();
      return;
    }
    const life = this.#life;
    this.#time.after(ms, () => {
      if (life === this.#life) run();
    });
  }
}
