import { createHash } from 'node:crypto';
import type { CborMap } from '../smp/cbor.ts';
import { MGMT } from '../smp/errors.ts';
import { GROUP } from '../smp/header.ts';
import type { DeviceCommands } from './device-commands.ts';
import { encodeRequest, SmpError, SmpTimeoutError } from './smp-client.ts';

export interface UploadProgress {
  /** Bytes that the device has received. */
  readonly sentBytes: number;
  readonly totalBytes: number;
}

export interface UploadOptions {
  /** The longest packet that device and channel accept, in bytes. */
  readonly largestPacket: number;
  /** Chunks in flight at once: one per device buffer, minus one for the answer. */
  readonly window: number;
  readonly onProgress?: (progress: UploadProgress) => void;
  readonly signal?: AbortSignal | undefined;
}

/** The device keeps asking for bytes it already has, or reports that it stored different bytes. */
export class UploadError extends Error {
  override readonly name = 'UploadError';
}

/** A device with this many setbacks in one connection will never finish. */
const MOST_SETBACKS = 20;

/**
 * Uploads an image in packets as long as device and channel allow, several in flight at once. Always starts at offset 0
 * with the file's SHA-256: a device that already has part of that file answers with the offset to continue from, so
 * that a lost connection costs no bytes. If the device expects a different offset from the one sent, it gets that one.
 */
export async function uploadImage(commands: DeviceCommands, image: Uint8Array, options: UploadOptions): Promise<void> {
  const upload = new Upload(commands, image, options);
  let [offset, furthest, setbacks] = [0, 0, 0];
  while (offset < image.byteLength) {
    offset = offset === 0 ? await upload.begin() : await upload.goOn(offset);
    setbacks = offset > furthest ? 0 : setbacks + 1;
    if (setbacks > MOST_SETBACKS) throw new UploadError(`the upload does not get past byte ${offset}`);
    furthest = Math.max(furthest, offset);
  }
}

interface Sent {
  /** The offset that the device expects after this chunk. */
  readonly end: number;
  readonly answer: Promise<number>;
}

class Upload {
  readonly #commands: DeviceCommands;
  readonly #image: Uint8Array;
  readonly #sha: Uint8Array;
  readonly #options: UploadOptions;

  constructor(commands: DeviceCommands, image: Uint8Array, options: UploadOptions) {
    this.#commands = commands;
    this.#image = image;
    this.#sha = createHash('sha256').update(image).digest();
    this.#options = options;
  }

  /** Sends the first chunk alone: the device erases, and answers where to continue. */
  begin(): Promise<number> {
    return this.#send(0).answer;
  }

  /**
   * Sends from that offset until everything is sent or the device expects another offset.
   *
   * @returns the offset that the device expects next
   */
  async goOn(start: number): Promise<number> {
    const inFlight: Sent[] = [];
    let [next, taken] = [start, start];
    for (;;) {
      while (inFlight.length < this.#options.window && next < this.#image.byteLength) {
        const sent = this.#send(next);
        inFlight.push(sent);
        next = sent.end;
      }
      const oldest = inFlight.shift();
      if (oldest === undefined) return taken;
      const expected = await settled(oldest);
      if (expected === oldest.end) taken = expected;
      else return await lastWord(expected, inFlight, taken);
    }
  }

  #send(offset: number): Sent {
    this.#options.signal?.throwIfAborted();
    const chunk = chunkAt(this.#image, offset, this.#sha, this.#options.largestPacket);
    const answer = this.#commands.uploadChunk(chunk.fields).then((answered) => {
      if (answered.match === false) throw new UploadError('the device stored different bytes from those sent');
      this.#options.onProgress?.({ sentBytes: answered.offset, totalBytes: this.#image.byteLength });
      return answered.offset;
    });
    // While an earlier chunk is awaited, this one's failure must not count as unhandled; it is awaited later.
    answer.catch(() => {});
    return { end: chunk.end, answer };
  }
}

/** The offset in a chunk's answer; undefined if the chunk was lost or found no buffer. */
async function settled({ answer }: Sent): Promise<number | undefined> {
  try {
    return await answer;
  } catch (error) {
    const hadNoBuffer = error instanceof SmpError && error.group === undefined && error.rc === MGMT.noMemory;
    if (!hadNoBuffer && !(error instanceof SmpTimeoutError)) throw error;
    return undefined;
  }
}

/** Chunks sent after a failed one are answered too. The device's last answer counts. */
async function lastWord(first: number | undefined, others: readonly Sent[], taken: number): Promise<number> {
  let expected = first;
  for (const sent of others) expected = (await settled(sent)) ?? expected;
  return expected ?? taken;
}

/**
 * Data of the first chunk: the image's header and a little more. A device that already has part of the image discards
 * it. Any other starts with an erase, which takes far longer than anything else.
 */
const FIRST_BYTES = 64;

/** Shortest byte string that needs each form of the length, longest form first. */
const SHORTEST = [256, 24, 1] as const;

/** As much data as fits into one packet after the required fields. */
function chunkAt(
  image: Uint8Array,
  offset: number,
  sha: Uint8Array,
  largestPacket: number,
): { readonly fields: CborMap; readonly end: number } {
  const around = offset === 0 ? { len: image.byteLength, off: 0, sha, image: 0 } : { off: offset };
  const rest = image.byteLength - offset;
  const empty = { ...around, data: new Uint8Array(0) };
  const packetBytes = encodeRequest({ op: 'write', group: GROUP.image, command: 1, fields: empty }, 0).byteLength;
  const room = largestPacket - packetBytes;
  // The length of a byte string takes one byte up to 23, two up to 255, then three. The packet already contains the
  // first.
  const fits =
    [room - 2, Math.min(255, room - 1), Math.min(23, room)].find((bytes, form) => bytes >= (SHORTEST[form] ?? 1)) ?? 0;
  if (fits < 1) throw new UploadError(`a packet of ${largestPacket} bytes has no room for data`);
  const end = offset + Math.min(rest, fits, offset === 0 ? FIRST_BYTES : fits);
  return { fields: { ...around, data: image.subarray(offset, end) }, end };
}
