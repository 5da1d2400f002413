import { LinkLostError, type Transport } from '../link/transport.ts';
import { MGMT } from '../smp/errors.ts';
import { realTime, type Scheduler, sleep } from '../time/scheduler.ts';
import { type DeviceCommands, deviceCommands, type ImageEntry } from './device-commands.ts';
import { SmpClient, SmpError, SmpTimeoutError } from './smp-client.ts';

export interface SessionOptions {
  /** Opens a connection to the device; called again after each lost one. */
  readonly connect: () => Promise<Transport>;
  readonly time?: Scheduler;
  readonly signal?: AbortSignal;
}

/** A step of the update, on a connection that may not last to its end: it must be safe to begin again. */
export type Step<T> = (commands: DeviceCommands, client: SmpClient) => Promise<T>;

/** A step that loses its connection this often without getting any further is given up. */
const MOST_TRIES = 40;
/** How long a device may be gone: swapping two full slots takes it about a minute (facts sheet, G4). */
const PATIENCE_MS = 180_000;
const PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1_000;
/** How often a device that is busy, or out of buffers, is asked again, and how long after. */
const MOST_BUSY = 10;
const BUSY_MS = 500;
/** A device on UDP shows no lost connection: after this time its reset is under way. */
const RESET_WAIT_MS = 1_000;

/** Keeps a connection to the device and runs steps on it; a step that loses it is begun again on a new one. */
export class PhoneSession {
  reconnects = 0;
  readonly #options: SessionOptions;
  readonly #time: Scheduler;
  #client: SmpClient | undefined;
  #wasConnected = false;
  #onLost = () => {};
  #tries = 0;
  #furthest = 0;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#time = options.time ?? realTime;
  }

  /** @throws what the step throws, but for lost connections, and a device that is busy for a while */
  async run<T>(step: Step<T>): Promise<T> {
    this.#tries = 0;
    for (let busy = 0; ; ) {
      this.#options.signal?.throwIfAborted();
      const client = await this.#connected();
      try {
        return await step(deviceCommands(client), client);
      } catch (error) {
        if (isBusy(error) && busy < MOST_BUSY) {
          busy += 1;
          await sleep(this.#time, BUSY_MS, this.#options.signal);
          continue;
        }
        this.#tries += 1;
        const isLost = error instanceof LinkLostError || error instanceof SmpTimeoutError;
        if (!isLost || this.#tries >= MOST_TRIES) throw error;
        this.close();
      }
    }
  }

  /** How far a step has got: when that is further than ever, lost connections before it don't count any more. */
  progressed(to: number): void {
    if (to > this.#furthest) this.#tries = 0;
    this.#furthest = Math.max(this.#furthest, to);
  }

  /**
   * Asks for the reset that starts the trial. Where the answer was lost it looks before it asks again: a second reset
   * would roll the trial back.
   */
  async resetInto(hash: string): Promise<void> {
    await this.run(async (commands) => {
      const images = await commands.images();
      if (!images.some((image) => image.hash === hash && image.pending)) return;
      let isGone = false;
      this.#onLost = () => {
        isGone = true;
      };
      await commands.reset();
      if (!isGone) await this.#lostWithin(RESET_WAIT_MS);
    });
    this.close();
  }

  async running(): Promise<ImageEntry | undefined> {
    const images = await this.run((commands) => commands.images());
    return images.find(({ active }) => active);
  }

  close(): void {
    this.#client?.close();
    this.#client = undefined;
  }

  /** Waits for the connection to go, or for so long. */
  #lostWithin(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#time.after(ms, resolve);
      this.#onLost = () => {
        timer.cancel();
        resolve();
      };
    });
  }

  async #connected(): Promise<SmpClient> {
    if (this.#client !== undefined) return this.#client;
    const since = this.#time.now();
    for (let tries = 1; ; tries += 1) {
      this.#options.signal?.throwIfAborted();
      try {
        const transport = await this.#options.connect();
        transport.onClose(() => this.#onLost());
        if (this.#wasConnected) this.reconnects += 1;
        this.#wasConnected = true;
        this.#client = new SmpClient(transport, this.#time);
        return this.#client;
      } catch (error) {
        const isOver = this.#time.now() - since > PATIENCE_MS;
        if (!(error instanceof LinkLostError) || isOver) throw error;
        await sleep(this.#time, Math.min(PAUSE_MS * tries, LONGEST_PAUSE_MS), this.#options.signal);
      }
    }
  }
}

function isBusy(error: unknown): boolean {
  const isSmpLevel = error instanceof SmpError && error.group === undefined;
  return isSmpLevel && (error.rc === MGMT.busy || error.rc === MGMT.noMemory);
}
