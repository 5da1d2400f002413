import { createHash } from 'node:crypto';
import type { CborMap } from '../smp/cbor.ts';
import { GROUP } from '../smp/header.ts';
import type { DeviceCommands } from './device-commands.ts';
import { encodeRequest } from './smp-client.ts';

export interface UploadProgress {
  /** Bytes that the device has. */
  readonly sentBytes: number;
  readonly totalBytes: number;
}

/** The device keeps asking for bytes it was already given, or says that what it stored is not what was sent. */
export class UploadError extends Error {
  override readonly name = 'UploadError';
}

/** A device that goes back this often in one connection will never finish. */
const MOST_SETBACKS = 20;

/**
 * Uploads an image, each packet as long as device and way allow. It always begins at offset 0 with the file's SHA-256:
 * a device that has part of that file already answers where to go on, so that a lost connection costs no bytes.
 */
export async function uploadImage(
  commands: DeviceCommands,
  image: Uint8Array,
  largestPacket: number,
  onProgress: (progress: UploadProgress) => void,
  signal?: AbortSignal,
): Promise<void> {
  const sha = createHash('sha256').update(image).digest();
  let setbacks = 0;
  for (let offset = 0; ; ) {
    signal?.throwIfAborted();
    const chunk = chunkAt(image, offset, sha, largestPacket);
    const answer = await commands.uploadChunk(chunk);
    if (answer.match === false) throw new UploadError('the device stored other bytes than were sent');
    if (answer.offset <= offset) {
      setbacks += 1;
      if (setbacks > MOST_SETBACKS) throw new UploadError(`the upload does not get past byte ${offset}`);
    }
    offset = answer.offset;
    onProgress({ sentBytes: offset, totalBytes: image.byteLength });
    if (offset >= image.byteLength) return;
  }
}

/** As much data as fits one packet behind the fields that must stand beside it. */
function chunkAt(image: Uint8Array, offset: number, sha: Uint8Array, largestPacket: number): CborMap {
  const around = offset === 0 ? { len: image.byteLength, off: 0, sha, image: 0 } : { off: offset };
  const rest = image.byteLength - offset;
  const packetBytes = (data: Uint8Array) =>
    encodeRequest({ op: 'write', group: GROUP.image, command: 1, fields: { ...around, data } }, 0).byteLength;
  // The length's own encoding grows with the data by at most 4 bytes: guess, then correct by what it really takes.
  const guess = Math.min(rest, largestPacket - packetBytes(new Uint8Array(0)));
  if (guess < 1) throw new UploadError(`a packet of ${largestPacket} bytes has no room for data`);
  const excess = Math.max(0, packetBytes(image.subarray(offset, offset + guess)) - largestPacket);
  return { ...around, data: image.subarray(offset, offset + guess - excess) };
}
