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

/** A step of the update. Its connection may drop before it ends, so it must be safe to repeat. */
export type Step<T> = (commands: DeviceCommands, client: SmpClient) => Promise<T>;

/** A step that loses its connection this often without progress is abandoned. */
const MOST_TRIES = 40;
/** How long a device may be out of reach: swapping two full slots takes about a minute (facts sheet, G4). */
const PATIENCE_MS = 180_000;
const PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1_000;
/** How often a device that is busy or out of buffers is asked again, and after which pause. */
const MOST_BUSY = 10;
const BUSY_MS = 500;
/** A device on UDP shows no lost connection. After this time its reset is under way. */
const RESET_WAIT_MS = 1_000;

/** Keeps a connection to the device and runs steps on it. A step that loses it starts again on a new one. */
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

  /** @throws what the step throws, except for lost connections and a device that is busy for a while */
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

  /** Records how far a step has got. Any progress resets the count of lost connections. */
  progressed(to: number): void {
    if (to > this.#furthest) this.#tries = 0;
    this.#furthest = Math.max(this.#furthest, to);
  }

  /**
   * Requests the reset that starts the trial. After a lost answer it checks before it asks again: a second reset would
   * roll the trial back.
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

  /** Waits until the connection is lost, at most that long. */
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
