import { createHash } from 'node:crypto';
import {
  MCUBOOT_HEADER_BYTES,
  MCUBOOT_MAGIC,
  type McubootVersion,
  parseMcubootHeader,
} from '@autowatering/release-format';
import { compareVersions } from '../bootloader/image-rules.ts';
import { TRAILER_SECTORS } from '../bootloader/trailer.ts';
import type { FlashArea } from '../flash/flash-area.ts';
import { FlashError, PAGE_BYTES } from '../flash/nor-flash.ts';
import type { CborFields } from './cbor.ts';
import { IMAGE_ERROR, MGMT } from './errors.ts';
import { boolField, bytesField, uintField } from './fields.ts';
import type { CommandResult } from './server.ts';

const SHA_BYTES = 32;

interface Chunk {
  readonly offset: number | undefined;
  readonly data: Uint8Array;
  readonly length: number | undefined;
  readonly sha: Uint8Array | undefined;
  readonly upgrade: boolean;
}

interface Session {
  readonly length: number;
  readonly sha: Uint8Array | undefined;
  offset: number;
  /** Bytes that do not fill a write block yet. */
  tail: Uint8Array;
}

/**
 * The server side of an image upload (facts sheet, C4). The session lives in RAM and ends with a reset, an erase, an
 * error or the last byte.
 */
export class ImageUpload {
  readonly #slot: FlashArea;
  #session: Session | undefined;

  constructor(slot: FlashArea) {
    this.#slot = slot;
  }

  forget(): void {
    this.#session = undefined;
  }

  /** @param isSlotFree whether the slot may be overwritten now */
  handle(fields: CborFields, running: McubootVersion | undefined, isSlotFree: () => boolean): CommandResult {
    const chunk = readChunk(fields);
    if (chunk === undefined) return { rc: MGMT.invalid };
    if (chunk.offset === undefined) return { error: IMAGE_ERROR.invalidOffset };
    try {
      return chunk.offset === 0 ? this.#begin(chunk, running, isSlotFree) : this.#continue(chunk, chunk.offset);
    } catch (error) {
      if (!(error instanceof FlashError)) throw error;
      this.forget();
      return { error: IMAGE_ERROR.flashWriteFailed };
    }
  }

  #begin(chunk: Chunk, running: McubootVersion | undefined, isSlotFree: () => boolean): CommandResult {
    const { data, length, sha } = chunk;
    if (data.byteLength < MCUBOOT_HEADER_BYTES) return this.#fail(IMAGE_ERROR.invalidHeader);
    if (length === undefined) return this.#fail(IMAGE_ERROR.invalidLength);
    if (new DataView(data.buffer, data.byteOffset).getUint32(0, true) !== MCUBOOT_MAGIC) {
      return this.#fail(IMAGE_ERROR.invalidHeaderMagic);
    }
    if (sha !== undefined && sha.byteLength > SHA_BYTES) return this.#fail(IMAGE_ERROR.invalidHash);
    const current = this.#session;
    if (current !== undefined && sha !== undefined && sha.byteLength > 0 && same(sha, current.sha)) {
      return { fields: { off: current.offset } };
    }
    if (!isSlotFree()) return this.#fail(IMAGE_ERROR.noFreeSlot);
    if (length > this.#slot.sizeBytes) return this.#fail(IMAGE_ERROR.imageTooLarge);
    if (chunk.upgrade && !isUpgrade(data, running)) return this.#fail(IMAGE_ERROR.currentVersionIsNewer);
    if (sha?.byteLength === SHA_BYTES && same(sha, sha256(this.#slot.read(0, length)))) {
      this.forget();
      return { fields: { off: length, match: true } };
    }
    this.#eraseFor(length);
    const session: Session = { length, sha, offset: 0, tail: new Uint8Array(0) };
    this.#session = session;
    return this.#store(session, data.subarray(0, length));
  }

  #continue(chunk: Chunk, offset: number): CommandResult {
    const session = this.#session;
    // Without a session, only a first chunk is expected.
    if (session === undefined) return { fields: { off: 0 } };
    if (offset !== session.offset) return { fields: { off: session.offset } };
    if (offset + chunk.data.byteLength > session.length) return this.#fail(IMAGE_ERROR.dataOverrun);
    return this.#store(session, chunk.data);
  }

  #store(session: Session, data: Uint8Array): CommandResult {
    const pending = Buffer.concat([session.tail, data]);
    const start = session.offset - session.tail.byteLength;
    const isLast = session.offset + data.byteLength === session.length;
    const whole = isLast ? pending.byteLength : pending.byteLength - (pending.byteLength % this.#slot.writeBlockBytes);
    this.#slot.write(start, pending.subarray(0, whole));
    session.tail = Uint8Array.from(pending.subarray(whole));
    session.offset += data.byteLength;
    if (!isLast) return { fields: { off: session.offset } };
    this.forget();
    if (session.sha?.byteLength !== SHA_BYTES) return { fields: { off: session.length } };
    const match = same(session.sha, sha256(this.#slot.read(0, session.length)));
    return { fields: { off: session.length, match } };
  }

  /** Erases like Zephyr by default: at the first chunk, the pages of image and trailer, unless they are blank. */
  #eraseFor(length: number): void {
    const needed = Math.ceil(length / PAGE_BYTES);
    for (let sector = 0; sector < this.#slot.sectors; sector += 1) {
      if (sector >= needed && sector < this.#slot.sectors - TRAILER_SECTORS) continue;
      if (!this.#slot.isErased(sector * PAGE_BYTES, PAGE_BYTES)) this.#slot.eraseSector(sector);
    }
  }

  #fail(error: number): CommandResult {
    this.forget();
    return { error };
  }
}

function readChunk(fields: CborFields): Chunk | undefined {
  const [offset, length, image] = [uintField(fields, 'off'), uintField(fields, 'len'), uintField(fields, 'image')];
  const [data, sha, upgrade] = [bytesField(fields, 'data'), bytesField(fields, 'sha'), boolField(fields, 'upgrade')];
  if (!offset.ok || !length.ok || !image.ok || !data.ok || !sha.ok || !upgrade.ok) return undefined;
  return {
    offset: offset.value,
    data: data.value ?? new Uint8Array(0),
    length: length.value,
    sha: sha.value,
    upgrade: upgrade.value ?? false,
  };
}

function isUpgrade(start: Uint8Array, running: McubootVersion | undefined): boolean {
  const parsed = parseMcubootHeader(start);
  return parsed.ok && (running === undefined || compareVersions(parsed.header.version, running) > 0);
}

function sha256(bytes: Uint8Array): Uint8Array {
  return createHash('sha256').update(bytes).digest();
}

function same(a: Uint8Array, b: Uint8Array | undefined): boolean {
  return b !== undefined && a.byteLength === b.byteLength && a.every((byte, i) => byte === b[i]);
}
