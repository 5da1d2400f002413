import { imageHash, parseImage } from '@autowatering/release-format';
import { IMAGE_ERROR } from '../smp/errors.ts';
import { GROUP } from '../smp/header.ts';
import type { DeviceCommands, ImageEntry, SignedReceipt } from './device-commands.ts';
import { UploadError, type UploadProgress } from './image-upload.ts';
import { PhoneSession, type SessionOptions } from './phone-session.ts';
import { SmpError } from './smp-client.ts';
import { uploadStep } from './upload-step.ts';

export type UpdatePhase =
  | 'connecting'
  | 'inspecting'
  | 'uploading'
  | 'testing'
  | 'resetting'
  | 'validating'
  | 'confirming';

export interface UpdateOptions extends SessionOptions {
  /** The signed image, already verified against the offer's SHA-256. */
  readonly image: Uint8Array;
  /** The phone's own checks of the new firmware before it is confirmed; false lets it be rolled back. */
  readonly validate?: (commands: DeviceCommands) => Promise<boolean>;
  readonly onPhase?: (phase: UpdatePhase) => void;
  /** Gets every text that the phone's app shows the person; the simulator's own phone shows none. */
  readonly onMessage?: (message: string) => void;
  readonly onProgress?: (progress: UploadProgress) => void;
  /** From the offer. A device with a key signs with it that it runs the new firmware. */
  readonly receiptNonce?: string;
}

export type UpdateOutcome =
  | {
      readonly outcome: 'confirmed' | 'already_running';
      readonly version: string;
      readonly reconnects: number;
      readonly receipt?: SignedReceipt;
    }
  /** The new image runs on trial and was not confirmed: the next reset restores the old one. */
  | { readonly outcome: 'unconfirmed'; readonly version: string; readonly reconnects: number }
  /** The device started the new image and came back with the old one. */
  | {
      readonly outcome: 'rolled_back';
      readonly runningVersion: string | undefined;
      readonly reconnects: number;
      readonly reason?: string;
    }
  /** The device refused, either directly or through its bootloader. */
  | {
      readonly outcome: 'refused';
      readonly phase: UpdatePhase;
      readonly reason: string;
      readonly runningVersion: string | undefined;
      readonly reconnects: number;
    };

/** The file is not an image that a phone should send to a device. */
export class NotAnImageError extends Error {
  override readonly name = 'NotAnImageError';
}

/**
 * The product's update flow (facts sheet, C8): check, upload, mark for test, reset, check again, validate, confirm.
 * Every step first reads the device's state, so that it can be repeated safely after a lost connection.
 *
 * @throws LinkLostError when the device stays away; NotAnImageError; the signal's reason
 */
export async function updateDevice(options: UpdateOptions): Promise<UpdateOutcome> {
  const wanted = hashOf(options.image);
  const session = new PhoneSession(options);
  let phase: UpdatePhase = 'connecting';
  const enter = (next: UpdatePhase) => {
    phase = next;
    options.onPhase?.(next);
  };
  enter('connecting');
  try {
    const before = await session.run((commands) => {
      if (phase === 'connecting') enter('inspecting');
      return commands.images();
    });
    const active = before.find((image) => image.active);
    if (active?.hash === wanted && active.confirmed) {
      return { outcome: 'already_running', version: active.version, ...(await ending(session, options)) };
    }
    if (active?.hash !== wanted) await install(session, before, wanted, options, enter);
    enter('validating');
    const after = await session.run((commands) => commands.images());
    const running = after.find((image) => image.active);
    if (running?.hash !== wanted) return notInstalled(after, wanted, session.reconnects);
    if (!(await session.run(options.validate ?? answersEcho))) {
      return { outcome: 'unconfirmed', version: running.version, reconnects: session.reconnects };
    }
    enter('confirming');
    await session.run((commands) => commands.confirm());
    return { outcome: 'confirmed', version: running.version, ...(await ending(session, options)) };
  } catch (error) {
    if (!(error instanceof SmpError) && !(error instanceof UploadError)) throw error;
    const running = await session.running();
    return {
      ...{ outcome: 'refused', phase, reason: error.message },
      ...{ runningVersion: running?.version, reconnects: session.reconnects },
    };
  } finally {
    session.close();
  }
}

/** Uploads what the device lacks, marks it, and resets the device into its trial. */
async function install(
  session: PhoneSession,
  before: readonly ImageEntry[],
  wanted: string,
  options: UpdateOptions,
  enter: (phase: UpdatePhase) => void,
): Promise<void> {
  const send = () => {
    enter('uploading');
    return session.run((commands, client) => uploadStep(session, commands, client, options));
  };
  const markNow = () => {
    enter('testing');
    return session.run((commands) => markForTest(commands, wanted));
  };
  if (!holds(before, wanted)) await send();
  try {
    await markNow();
  } catch (error) {
    if (!isBrokenMark(error)) throw error;
    // A power cut interrupted an earlier mark. Half a magic can only be erased, and the image with it.
    await session.run((commands) => commands.erase());
    await send();
    await markNow();
  }
  enter('resetting');
  await session.resetInto(wanted);
}

/** Zephyr's answer when the trailer of slot 1 is neither empty nor complete (facts sheet, F5). */
function isBrokenMark(error: unknown): boolean {
  return error instanceof SmpError && error.group === GROUP.image && error.rc === IMAGE_ERROR.invalidHeaderMagic;
}

type NotInstalled = Extract<UpdateOutcome, { readonly outcome: 'rolled_back' | 'refused' }>;

/** What the slots show about an image that does not run after its reset. */
export function notInstalled(after: readonly ImageEntry[], wanted: string, reconnects: number): NotInstalled {
  const runningVersion = after.find(({ active }) => active)?.version;
  const held = after.find(({ active, hash }) => !active && hash === wanted);
  if (held?.pending === false) return { outcome: 'rolled_back', runningVersion, reconnects };
  const reason = held === undefined ? 'the bootloader refused the image' : 'the bootloader did not install it';
  return { outcome: 'refused', phase: 'validating', reason, runningVersion, reconnects };
}

/** The receipt, if the device gives one. A device without a key doesn't know the command; its update is still good. */
async function ending(
  session: PhoneSession,
  { receiptNonce: nonce }: UpdateOptions,
): Promise<{ readonly reconnects: number; readonly receipt?: SignedReceipt }> {
  if (nonce === undefined) return { reconnects: session.reconnects };
  try {
    const receipt = await session.run((commands) => commands.signReceipt(nonce));
    return { reconnects: session.reconnects, receipt };
  } catch (error) {
    if (!(error instanceof SmpError)) throw error;
    return { reconnects: session.reconnects };
  }
}

/**
 * Marks the image unless it is already marked, so that repeating a request after a lost answer does no harm. A device
 * that lost power right then may have started the trial already.
 */
async function markForTest(commands: DeviceCommands, hash: string): Promise<void> {
  const images = await commands.images();
  if (images.some((image) => image.hash === hash && (image.pending || image.active))) return;
  await commands.test(hash);
}

async function answersEcho(commands: DeviceCommands): Promise<boolean> {
  return (await commands.echo('ready?')) === 'ready?';
}

function holds(images: readonly ImageEntry[], hash: string): boolean {
  return images.some((image) => !image.active && image.hash === hash);
}

/**
 * The image's own hash, by which mcumgr identifies it; not the file's hash.
 *
 * @throws NotAnImageError
 */
export function hashOf(image: Uint8Array): string {
  const parsed = parseImage((offset, length) => image.subarray(offset, offset + length), image.byteLength);
  const hash = parsed.ok ? imageHash(parsed.image) : undefined;
  if (hash === undefined)
    throw new NotAnImageError(parsed.ok ? 'the image has no hash' : `not an image: ${parsed.fault}`);
  return Buffer.from(hash).toString('hex');
}
