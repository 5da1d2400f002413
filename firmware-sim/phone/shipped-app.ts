import { createHash } from 'node:crypto';
import { LinkLostError } from '../link/transport.ts';
import type { CborMap } from '../smp/cbor.ts';
import { GROUP } from '../smp/header.ts';
import { realTime, sleep } from '../time/scheduler.ts';
import { type DeviceCommands, deviceCommands, type ImageEntry } from './device-commands.ts';
import { SmpClient, SmpError, SmpTimeoutError, UnreadableAnswerError } from './smp-client.ts';
import { hashOf, notInstalled, type UpdateOptions, type UpdateOutcome, type UpdatePhase } from './update-device.ts';

/** Data per chunk, regardless of the MTU and the device's buffers. Each chunk waits for the previous answer. */
const SHIPPED_APP_CHUNK_BYTES = 128;
/** From a lost connection until the person has read the message and pressed again. */
const PRESSED_AGAIN_MS = 44_000;
/** A person who presses this often without any progress gives up. */
const MOST_PRESSES_IN_VAIN = 3;

const CHUNK_TIMEOUT_MS = 45_000;
const CHUNK_TRIES = 3;
const CHUNK_RETRY_MS = 200;
/** After the reset: the delay before the first attempt, the number of attempts, and the pauses between them. */
const RECONNECT_AFTER_MS = 2_500;
const RECONNECT_TRIES = 20;
const reconnectPauseMs = (tries: number) => Math.min(6_000, 1_400 + 300 * tries);

export const NOT_CONNECTED = 'The device is not connected.';
export const DIFFERENT_IMAGE = 'Device booted into a different image after reboot.';
const HASH_MISSING = 'Could not find uploaded image hash after transfer.';

/** The app abandons this attempt and shows the person why. */
class ShownError extends Error {
  override readonly name = 'ShownError';
}

/**
 * The update as the app in the stores does it: small chunks, one at a time, over the first version of the protocol. It
 * does not reconnect during an upload: the person reads that the device is not connected and presses again. The whole
 * flow then starts over, with an upload that continues where the device says.
 *
 * `onMessage` gets every text that the person reads. `validate` is not called, and no receipt is requested.
 *
 * @throws LinkLostError when the person gives up; NotAnImageError; the signal's reason
 */
export async function updateByShippedApp(options: UpdateOptions): Promise<UpdateOutcome> {
  const attempt = new Attempt(options);
  let [inVain, furthest] = [0, 0];
  for (;;) {
    try {
      return await attempt.press();
    } catch (error) {
      const isLost = error instanceof LinkLostError || error instanceof SmpTimeoutError;
      if (!isLost) throw error;
      options.onMessage?.(NOT_CONNECTED);
      inVain = attempt.uploadedBytes > furthest ? 1 : inVain + 1;
      furthest = Math.max(furthest, attempt.uploadedBytes);
      if (inVain >= MOST_PRESSES_IN_VAIN) throw error;
      await sleep(options.time ?? realTime, PRESSED_AGAIN_MS, options.signal);
    } finally {
      attempt.close();
    }
  }
}

class Attempt {
  uploadedBytes = 0;
  readonly #options: UpdateOptions;
  readonly #wanted: string;
  #connections = 0;
  #client: SmpClient | undefined;
  #phase: UpdatePhase = 'connecting';

  constructor(options: UpdateOptions) {
    this.#options = options;
    this.#wanted = hashOf(options.image);
  }

  close(): void {
    this.#client?.close();
    this.#client = undefined;
  }

  /** One press of the button, until the flow ends or first fails. */
  async press(): Promise<UpdateOutcome> {
    let before: readonly ImageEntry[] = [];
    try {
      this.#enter('connecting');
      const first = await this.#connect();
      this.#enter('inspecting');
      before = await first.images();
      await this.#install(first, before.find(({ active }) => active)?.hash);
      const second = await this.#reconnect();
      this.#enter('validating');
      return await this.#confirm(second);
    } catch (error) {
      const isShown = error instanceof ShownError || error instanceof UnreadableAnswerError;
      if (!isShown && !(error instanceof SmpError)) throw error;
      const reason = error instanceof SmpError ? `SMP command failed with rc=${error.rc}.` : error.message;
      return this.#refused(before, reason);
    }
  }

  async #install(commands: DeviceCommands, activeHash: string | undefined): Promise<void> {
    this.#enter('uploading');
    await this.#upload();
    this.#enter('testing');
    const others = (await commands.images()).filter(({ hash }) => hash !== activeHash);
    const uploaded = others.find(({ pending }) => pending) ?? others.find(({ slot }) => slot === 1) ?? others[0];
    if (uploaded === undefined) throw new ShownError(HASH_MISSING);
    await commands.test(uploaded.hash);
    this.#enter('resetting');
    try {
      await commands.reset();
    } catch (error) {
      // The app takes any failure for a device that reset before its answer had left.
      this.#options.signal?.throwIfAborted();
      if (!isOfDevice(error)) throw error;
    }
  }

  async #upload(): Promise<void> {
    const { image, onProgress } = this.#options;
    const sha = createHash('sha256').update(image).digest();
    for (let off = 0; off < image.byteLength; ) {
      const data = image.subarray(off, off + SHIPPED_APP_CHUNK_BYTES);
      const fields = off === 0 ? { off, data, len: image.byteLength, sha } : { off, data };
      const expected = await this.#sendChunk(fields);
      // It only ever moves forward, even if the device asks for an earlier offset.
      off = expected > off ? Math.min(expected, image.byteLength) : off + data.byteLength;
      this.uploadedBytes = off;
      onProgress?.({ sentBytes: off, totalBytes: image.byteLength });
    }
  }

  async #sendChunk(fields: CborMap): Promise<number> {
    const { time = realTime, signal } = this.#options;
    for (let tries = 1; ; tries += 1) {
      signal?.throwIfAborted();
      try {
        const answer = await this.#open().request({
          ...{ op: 'write', group: GROUP.image, command: 1, fields, timeoutMs: CHUNK_TIMEOUT_MS },
        });
        return Number(answer.get('off') ?? 0);
      } catch (error) {
        if (!(error instanceof SmpTimeoutError) || tries >= CHUNK_TRIES) throw error;
        await sleep(time, CHUNK_RETRY_MS * tries, signal);
      }
    }
  }

  /** Checks which image has started. Any other than the uploaded one is an error, whatever the cause. */
  async #confirm(commands: DeviceCommands): Promise<UpdateOutcome> {
    const images = await commands.images();
    const running = images.find(({ active }) => active);
    const reconnects = this.#reconnects;
    if (running?.hash !== this.#wanted) {
      this.#options.onMessage?.(DIFFERENT_IMAGE);
      return { ...notInstalled(images, this.#wanted, reconnects), reason: DIFFERENT_IMAGE };
    }
    this.#enter('confirming');
    const { version } = running;
    try {
      await commands.confirmImage(running.hash);
    } catch (error) {
      this.#options.signal?.throwIfAborted();
      if (!isOfDevice(error)) throw error;
      // The app calls the update complete anyway. The next reset may restore the old firmware.
      return { outcome: 'unconfirmed', version, reconnects };
    }
    return { outcome: 'confirmed', version, reconnects };
  }

  #refused(before: readonly ImageEntry[], reason: string): UpdateOutcome {
    this.#options.onMessage?.(reason);
    const running = before.find(({ active }) => active);
    const reconnects = this.#reconnects;
    if (running?.hash === this.#wanted) {
      // The app can neither resume a trial nor see that nothing is left to do: it uploads, and the device refuses.
      const outcome = running.confirmed ? 'already_running' : 'unconfirmed';
      return { outcome, version: running.version, reconnects };
    }
    return { outcome: 'refused', phase: this.#phase, reason, runningVersion: running?.version, reconnects };
  }

  async #reconnect(): Promise<DeviceCommands> {
    const { time = realTime, signal } = this.#options;
    this.close();
    await sleep(time, RECONNECT_AFTER_MS, signal);
    for (let tries = 1; ; tries += 1) {
      signal?.throwIfAborted();
      try {
        return await this.#connect();
      } catch (error) {
        if (!(error instanceof LinkLostError) || tries >= RECONNECT_TRIES) throw error;
        await sleep(time, reconnectPauseMs(tries), signal);
      }
    }
  }

  async #connect(): Promise<DeviceCommands> {
    const { connect, time = realTime } = this.#options;
    const transport = await connect();
    this.#connections += 1;
    this.#client = new SmpClient(transport, time, { version: 0, accepts: 'definite' });
    return deviceCommands(this.#client);
  }

  #open(): SmpClient {
    if (this.#client === undefined) throw new LinkLostError('there is no connection');
    return this.#client;
  }

  get #reconnects(): number {
    return Math.max(0, this.#connections - 1);
  }

  #enter(phase: UpdatePhase): void {
    this.#phase = phase;
    this.#options.onPhase?.(phase);
  }
}

/** A failure of the device or the connection, not one of ours. */
function isOfDevice(error: unknown): boolean {
  return (
    error instanceof SmpError ||
    error instanceof SmpTimeoutError ||
    error instanceof LinkLostError ||
    error instanceof UnreadableAnswerError
  );
}
