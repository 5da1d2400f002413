import { createHash } from 'node:crypto';
import type { CborMap } from '../smp/cbor.ts';
import { MGMT } from '../smp/errors.ts';
import { GROUP } from '../smp/header.ts';
import type { DeviceCommands } from './device-commands.ts';
import { encodeRequest, SmpError, SmpTimeoutError } from './smp-client.ts';

export interface UploadProgress {
  /** Bytes that the device has. */
  readonly sentBytes: number;
  readonly totalBytes: number;
}

export interface UploadOptions {
  /** The longest packet that device and way take, in bytes. */
  readonly largestPacket: number;
  /** Chunks on their way at once; as many as the device has buffers, but one for its answer. */
  readonly window: number;
  readonly onProgress?: (progress: UploadProgress) => void;
  readonly signal?: AbortSignal | undefined;
}

/** The device keeps asking for bytes it was already given, or says that what it stored is not what was sent. */
export class UploadError extends Error {
  override readonly name = 'UploadError';
}

/** A device that gets no further this often in one connection will never finish. */
const MOST_SETBACKS = 20;

/**
 * Uploads an image, each packet as long as device and way allow, several on their way at once. It always begins at
 * offset 0 with the file's SHA-256: a device that has part of that file already answers where to go on, so that a lost
 * connection costs no bytes. Where the device expects another offset than was sent, it is asked for, and gets, that one.
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
  /** What the device expects next when it has taken this chunk. */
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

  /** The first chunk goes alone: the device erases, and says where it wants to go on. */
  begin(): Promise<number> {
    return this.#send(0).answer;
  }

  /**
   * Sends from there on until all is sent, or the device expects something else.
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
      if (answered.match === false) throw new UploadError('the device stored other bytes than were sent');
      this.#options.onProgress?.({ sentBytes: answered.offset, totalBytes: this.#image.byteLength });
      return answered.offset;
    });
    // Whoever waits for an earlier chunk looks at this one's failure later.
    answer.catch(() => {});
    return { end: chunk.end, answer };
  }
}

/** The offset that a chunk was answered with; undefined when it was lost, or found no buffer. */
async function settled({ answer }: Sent): Promise<number | undefined> {
  try {
    return await answer;
  } catch (error) {
    const hadNoBuffer = error instanceof SmpError && error.group === undefined && error.rc === MGMT.noMemory;
    if (!hadNoBuffer && !(error instanceof SmpTimeoutError)) throw error;
    return undefined;
  }
}

/** What was sent behind a chunk that went wrong is answered too; the device's last word counts. */
async function lastWord(first: number | undefined, others: readonly Sent[], taken: number): Promise<number> {
  let expected = first;
  for (const sent of others) expected = (await settled(sent)) ?? expected;
  return expected ?? taken;
}

/**
 * Data of the first chunk: the image's header and a little more. A device that has part of the image already throws it
 * away, and one that has not begins with its erasing, beside which nothing counts.
 */
const FIRST_BYTES = 64;

/** What each form of a byte string's length begins with, longest first. */
const SHORTEST = [256, 24, 1] as const;

/** As much data as fits one packet behind the fields that must stand beside it. */
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
  // A byte string's own length takes one byte up to 23, two up to 255, then three; the first is in the packet already.
  const fits =
    [room - 2, Math.min(255, room - 1), Math.min(23, room)].find((bytes, form) => bytes >= (SHORTEST[form] ?? 1)) ?? 0;
  if (fits < 1) throw new UploadError(`a packet of ${largestPacket} bytes has no room for data`);
  const end = offset + Math.min(rest, fits, offset === 0 ? FIRST_BYTES : fits);
  return { fields: { ...around, data: image.subarray(offset, end) }, end };
}
