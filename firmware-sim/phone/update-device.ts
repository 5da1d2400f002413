import { setTimeout as delay } from 'node:timers/promises';
import { imageHash, parseImage } from '../../release-format/mcuboot-image.ts';
import { LinkLostError, type Transport } from '../link/transport.ts';
import { type DeviceCommands, deviceCommands, type ImageEntry, type SignedReceipt } from './device-commands.ts';
import { uploadImage } from './image-upload.ts';
import { SmpClient, SmpError, SmpTimeoutError } from './smp-client.ts';

export type UpdatePhase =
  | 'connecting'
  | 'inspecting'
  | 'uploading'
  | 'testing'
  | 'resetting'
  | 'validating'
  | 'confirming';

export interface UpdateOptions {
  /** Opens a connection to the device; called again after each lost one. */
  readonly connect: () => Promise<Transport>;
  /** The signed image, already checked against the SHA-256 of the offer. */
  readonly image: Uint8Array;
  /** The phone's own checks of the new firmware before it is confirmed; false leaves it to be rolled back. */
  readonly validate?: (commands: DeviceCommands) => Promise<boolean>;
  readonly onPhase?: (phase: UpdatePhase) => void;
  readonly onProgress?: (progress: { readonly sentBytes: number; readonly totalBytes: number }) => void;
  readonly signal?: AbortSignal;
  /** From the offer: the device signs with it that it runs the new firmware, if it has a key. */
  readonly receiptNonce?: string;
  /** Waits between two tries to connect. */
  readonly pause?: (ms: number) => Promise<void>;
}

export type UpdateOutcome =
  | {
      readonly outcome: 'confirmed' | 'already_running';
      readonly version: string;
      readonly reconnects: number;
      readonly receipt?: SignedReceipt;
    }
  /** The new image runs on trial and was not confirmed: the next reset brings the old one back. */
  | { readonly outcome: 'unconfirmed'; readonly version: string; readonly reconnects: number }
  /** The device said no, at once or by booting its old image. */
  | {
      readonly outcome: 'refused';
      readonly phase: UpdatePhase;
      readonly reason: string;
      readonly runningVersion: string | undefined;
      readonly reconnects: number;
    };

/** The file is no image that a phone should carry to a device. */
export class NotAnImageError extends Error {
  override readonly name = 'NotAnImageError';
}

const MOST_CONNECTS_IN_A_ROW = 40;
const PAUSE_MS = 25;

/**
 * The product's update flow (facts sheet, C8): look, upload, mark for test, reset, look again, validate, confirm. Every
 * step looks at what the device says first, so that a lost connection at any point is repeated safely.
 */
export async function updateDevice(options: UpdateOptions): Promise<UpdateOutcome> {
  const wanted = hashOf(options.image);
  const session = new PhoneSession(options);
  let phase: UpdatePhase = 'connecting';
  const enter = (next: UpdatePhase) => {
    phase = next;
    options.onPhase?.(next);
  };
  try {
    enter('inspecting');
    const before = await session.run((commands) => commands.images());
    if (before.some(({ active, confirmed, hash }) => active && confirmed && hash === wanted)) {
      const version = versionOf(before, wanted);
      return {
        outcome: 'already_running',
        version,
        reconnects: session.reconnects,
        ...(await receiptFrom(session, options)),
      };
    }
    const isOnTrial = before.some(({ active, hash }) => active && hash === wanted);
    if (!isOnTrial) {
      if (!holds(before, wanted)) {
        enter('uploading');
        await session.run((commands, largest) => upload(commands, largest, options));
      }
      enter('testing');
      await session.run((commands) => markForTest(commands, wanted));
      enter('resetting');
      await session.resetInto(wanted);
    }
    enter('validating');
    const after = await session.run((commands) => commands.images());
    const running = after.find(({ active }) => active);
    if (running?.hash !== wanted) {
      const reason = holds(after, wanted) ? 'the device rolled it back' : 'the bootloader refused the image';
      return { ...refusal(phase, reason, running), reconnects: session.reconnects };
    }
    if (!(await session.run(options.validate ?? answersEcho))) {
      return { outcome: 'unconfirmed', version: running.version, reconnects: session.reconnects };
    }
    enter('confirming');
    await session.run((commands) => commands.confirm());
    const receipt = await receiptFrom(session, options);
    return { outcome: 'confirmed', version: running.version, reconnects: session.reconnects, ...receipt };
  } catch (error) {
    if (!(error instanceof SmpError)) throw error;
    return { ...refusal(phase, error.message, await session.running()), reconnects: session.reconnects };
  } finally {
    session.close();
  }
}

/** A device without a key knows no such command; its update is no worse for it. */
async function receiptFrom(
  session: PhoneSession,
  { receiptNonce: nonce }: UpdateOptions,
): Promise<{ readonly receipt?: SignedReceipt }> {
  if (nonce === undefined) return {};
  try {
    return { receipt: await session.run((commands) => commands.signReceipt(nonce)) };
  } catch (error) {
    if (!(error instanceof SmpError)) throw error;
    return {};
  }
}

/** Keeps a connection to the device and runs steps on it; a step that loses it is begun again on a new one. */
class PhoneSession {
  reconnects = 0;
  readonly #options: UpdateOptions;
  #client: SmpClient | undefined;
  #wasConnected = false;
  #onLost = () => {};

  constructor(options: UpdateOptions) {
    this.#options = options;
  }

  async run<T>(step: (commands: DeviceCommands, largestPacket: number) => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      this.#options.signal?.throwIfAborted();
      const client = await this.#connected();
      try {
        return await step(deviceCommands(client), client.largestPacket);
      } catch (error) {
        const isLost = error instanceof LinkLostError || error instanceof SmpTimeoutError;
        if (!isLost || tries >= MOST_CONNECTS_IN_A_ROW) throw error;
        this.close();
      }
    }
  }

  /**
   * Asks for the reset that starts the trial. Where the answer was lost it looks before it asks again: a second reset
   * would roll the trial back.
   */
  async resetInto(hash: string): Promise<void> {
    await this.run(async (commands) => {
      const images = await commands.images();
      if (!images.some((image) => image.hash === hash && image.pending)) return;
      const gone = new Promise<void>((resolve) => {
        this.#onLost = resolve;
      });
      await commands.reset();
      await Promise.race([gone, this.#pause(RESET_WAIT_MS)]);
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

  async #connected(): Promise<SmpClient> {
    if (this.#client !== undefined) return this.#client;
    for (let tries = 1; ; tries += 1) {
      this.#options.signal?.throwIfAborted();
      try {
        const transport = await this.#options.connect();
        transport.onClose(() => this.#onLost());
        if (this.#wasConnected) this.reconnects += 1;
        this.#wasConnected = true;
        this.#client = new SmpClient(transport);
        return this.#client;
      } catch (error) {
        if (!(error instanceof LinkLostError) || tries >= MOST_CONNECTS_IN_A_ROW) throw error;
        await this.#pause(PAUSE_MS * tries);
      }
    }
  }

  #pause(ms: number): Promise<void> {
    return (this.#options.pause ?? ((time: number) => delay(time)))(ms);
  }
}

/** A device on UDP shows no lost connection: after this time its reset is under way. */
const RESET_WAIT_MS = 1_000;

async function upload(commands: DeviceCommands, largestPacket: number, options: UpdateOptions): Promise<void> {
  const { bufferBytes } = await commands.parameters();
  const largest = Math.min(bufferBytes, largestPacket);
  await uploadImage(commands, options.image, largest, options.onProgress ?? (() => {}), options.signal);
}

/** Marks the image unless it is marked: a repeated request after a lost answer is no second request. */
async function markForTest(commands: DeviceCommands, hash: string): Promise<void> {
  const images = await commands.images();
  if (images.some((image) => image.hash === hash && image.pending)) return;
  await commands.test(hash);
}

async function answersEcho(commands: DeviceCommands): Promise<boolean> {
  return (await commands.echo('ready?')) === 'ready?';
}

function holds(images: readonly ImageEntry[], hash: string): boolean {
  return images.some((image) => !image.active && image.hash === hash);
}

function versionOf(images: readonly ImageEntry[], hash: string): string {
  return images.find((image) => image.hash === hash)?.version ?? '';
}

function refusal(phase: UpdatePhase, reason: string, running: ImageEntry | undefined) {
  return { outcome: 'refused', phase, reason, runningVersion: running?.version } as const;
}

/** The image's own hash, by which mcumgr names it: not the hash of the file. */
function hashOf(image: Uint8Array): string {
  const parsed = parseImage((offset, length) => image.subarray(offset, offset + length), image.byteLength);
  const hash = parsed.ok ? imageHash(parsed.image) : undefined;
  if (hash === undefined) throw new NotAnImageError(parsed.ok ? 'the image has no hash' : `no image: ${parsed.fault}`);
  return Buffer.from(hash).toString('hex');
}
