import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { parseImage, releaseVersionOf } from '@autowatering/release-format';
import { PlainError } from '../../cli/plain-error.ts';

export interface FirmwareFile {
  readonly image: Uint8Array;
  /** The release version in its header. */
  readonly version: string;
  readonly sha256: string;
}

/** @throws PlainError if the file is not an MCUboot image */
export async function readFirmware(file: string): Promise<FirmwareFile> {
  const image = await readFile(file);
  const parsed = parseImage((offset, length) => image.subarray(offset, offset + length), image.byteLength);
  if (!parsed.ok) throw new PlainError(`${file} is not an MCUboot image: ${parsed.fault}.`);
  const sha256 = createHash('sha256').update(image).digest('hex');
  return { image, version: releaseVersionOf(parsed.image.header.version), sha256 };
}
