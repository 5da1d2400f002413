import { formatMcubootVersion } from '@autowatering/release-format';
import { type BootloaderOptions, type BootReport, boot, type RunningImage } from '../bootloader/bootloader.ts';
import { createSecurityCounter } from '../bootloader/image-rules.ts';
import { swapUsingMove } from '../bootloader/swap-move.ts';
import { createProductFlash, type FlashMap } from '../flash/layout.ts';
import { PowerCutError } from '../flash/power-supply.ts';
import type { Garden } from '../garden/garden.ts';
import { confirmRunning } from '../smp/image-group.ts';
import { SettingsStore } from '../smp/settings-group.ts';
import { realTime, type Scheduler } from '../time/scheduler.ts';
import { PRODUCT_BEHAVIOUR, WATCHDOG_MS } from './application.ts';
import { BootLog, type ResetReason } from './boot-log.ts';
import { DEFAULT_BOARD, DEFAULT_BUFFER_BYTES, DEFAULT_BUFFER_COUNT, type DeviceOptions } from './device-options.ts';
import { type FirmwareMemory, type FirmwareServices, PRODUCT_SETTINGS, smpService, startedMemory } from './firmware.ts';
import type { Requester, RequestQueue } from './request-queue.ts';

/** `CONFIG_MCUMGR_GRP_OS_RESET_MS`: leaves time to send the answer. */
const RESET_MS = 250;
const BOOT_MS = 50;

/** `off`: no power. `starting`: bootloader or self-test. `hung`: waits for the watchdog. `stuck`: no image may run. */
export type DeviceState = 'off' | 'starting' | 'running' | 'hung' | 'stuck';

/** The irrigation controller: flash, bootloader, and an application reachable over SMP. */
export class SimulatedDevice {
  readonly bufferBytes: number;
  /** `CONFIG_MCUMGR_TRANSPORT_BT_REASSEMBLY`: whether it reassembles fragmented packets. */
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
  /** Each reset starts another life, which cancels pending work of the earlier ones. */
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
    options.garden?.onCrash(() => this.reset('watchdog'));
    this.#bootloader = { keys, mode, preventDowngrade, checksDependencies, ...counter };
    this.#flash.primary.eraseAll();
    this.#flash.primary.write(0, options.firmware);
    this.#flash.takeBusyMs();
    this.#boot('power_on');
  }

  get state(): DeviceState {
    return this.#state;
  }

  /** What it waters; undefined for a device that is only there to be updated. */
  get garden(): Garden | undefined {
    return this.#options.garden;
  }

  /** Whether an application is running, so that the device advertises and answers. */
  get isRunning(): boolean {
    return this.#state === 'running';
  }

  get bootLog(): Pick<BootLog, 'records' | 'count'> {
    return this.#log;
  }

  /** The latest boot; undefined if the very first one was interrupted. */
  get lastBoot(): BootReport | undefined {
    return this.#log.last?.report;
  }

  /** Number of boots since the device was created. */
  get boots(): number {
    return this.#log.count;
  }

  /** In mcumgr's format; undefined while nothing runs. */
  get runningVersion(): string | undefined {
    const image = this.#running();
    return image === undefined ? undefined : formatMcubootVersion(image.version);
  }

  /** A slot's content, as a programmer reads it. */
  slotBytes(slot: 0 | 1, length: number): Uint8Array {
    return (slot === 0 ? this.#flash.primary : this.#flash.secondary).read(0, length);
  }

  /** Makes a cell of a slot lose its charge: it reads 0 from now on. */
  damage(slot: 0 | 1, offset: number): void {
    const area = slot === 0 ? this.#flash.primary : this.#flash.secondary;
    area.write(offset - (offset % area.writeBlockBytes), new Uint8Array(area.writeBlockBytes));
  }

  /** Accepts one buffer of SMP requests. Each answer goes to the requester as soon as it is ready. */
  accept(packet: Uint8Array, requester: Requester): void {
    const image = this.#running();
    if (image === undefined) return;
    this.#requests ??= this.#listen(image);
    this.#requests.accept(packet, requester);
  }

  /** The requester's connection is gone. */
  forget(requester: Requester): void {
    this.#requests?.forget(requester);
    // Thousands of devices wait for a phone, so the state that only a connection needs is recreated for each.
    if (this.#requests?.isIdle !== true) return;
    this.#requests = undefined;
    this.#flash.settle();
  }

  /**
   * Calls the listener whenever the application ends, by a reset or a power cut.
   *
   * @returns a function that removes the listener
   */
  onReset(listener: () => void): () => void {
    this.#resetListeners.add(listener);
    return () => this.#resetListeners.delete(listener);
  }

  /** Clears the RAM and runs the bootloader. Default: the reset button. */
  reset(reason: ResetReason = 'pin'): void {
    if (this.#state === 'off') return;
    this.#stop('starting');
    this.#later(BOOT_MS, () => this.#boot(reason));
  }

  /** Cuts the power now, or after that many more flash operations. */
  cutPower(after?: { readonly flashOperations: number; readonly how?: 'before' | 'middle' }): void {
    if (after !== undefined) {
      this.#flash.power.failAfter(after.flashOperations, after.how);
      return;
    }
    this.#flash.power.fail();
    this.#stop('off');
  }

  /** Hangs the application. The watchdog, no longer fed, resets it. */
  hang(): void {
    if (!this.isRunning) return;
    this.#stop('hung');
    this.#later(WATCHDOG_MS, () => this.reset('watchdog'));
  }

  /** Restores the power; the device boots. */
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
        this.#gardenNow()?.powerOn();
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

  /** Runs work that needs the flash; undefined if the power fails before it is done. */
  #powered<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof PowerCutError)) throw error;
      this.#stop('off');
      return undefined;
    }
  }

  /** The garden, with all that happened in it so far. */
  #gardenNow(): Garden | undefined {
    const { garden } = this.#options;
    garden?.advanceTo(garden.startsAt + this.#time.now());
    return garden;
  }

  #stop(next: DeviceState): void {
    this.#life += 1;
    this.#state = next;
    this.#requests?.stop();
    this.#requests = undefined;
    this.#memory = undefined;
    this.#flash.takeBusyMs();
    this.#gardenNow()?.powerOff();
    for (const listener of [...this.#resetListeners]) listener();
  }

  /** Runs it later, unless a reset or a power cut comes first. */
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
