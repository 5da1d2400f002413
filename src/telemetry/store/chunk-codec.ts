import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { ROW_KINDS, type Row } from '../evidence.ts';
import { ByteReader, ByteWriter } from './byte-stream.ts';
import { type Chunk, EMPTY_CHUNK } from './chunk.ts';
import { readRows, writeRows } from './row-codec.ts';
import { readSamples, readSessions, writeSamples, writeSessions } from './sample-codec.ts';

/** The first byte of each chunk. Raise it when what follows is written in another way, and keep reading the older ones. */
export const CHUNK_FORMAT = 1;
/** What a stored chunk may inflate to, in bytes: far more than is ever written. */
const LARGEST = 4 * 1024 * 1024;

const SESSIONS = 0x40;
const BOOTS = 0x41;
const SAMPLES = 0x42;
const CLOCK_LOST = 0x20;

/** Packs a chunk: sections of columns behind a tag each, deflated, behind the format's number (ADR 125). */
export function encodeChunk({ rows, sessions, boots, samples }: Chunk): Uint8Array {
  const writer = new ByteWriter();
  for (const [tag, kind] of ROW_KINDS.entries()) {
    for (const isClockLost of [false, true]) {
      const own = rows.filter((row) => row.kind === kind && row.isClockLost === isClockLost);
      if (own.length === 0) continue;
      writer.byte(isClockLost ? tag | CLOCK_LOST : tag);
      writeRows(writer, kind, isClockLost, own);
    }
  }
  if (sessions.length > 0) {
    writer.byte(SESSIONS);
    writeSessions(writer, sessions);
  }
  if (boots.length > 0) {
    writer.byte(BOOTS);
    writer.count(boots.length);
    let before = 0;
    for (const step of boots) {
      writer.signed(step - before);
      before = step;
    }
  }
  if (samples.length > 0) {
    writer.byte(SAMPLES);
    writeSamples(writer, samples);
  }
  return Buffer.concat([Uint8Array.of(CHUNK_FORMAT), deflateRawSync(writer.written())]);
}

/**
 * Unpacks what `encodeChunk` packed.
 *
 * @throws Error if the bytes are of an unknown format, or broken
 */
export function decodeChunk(bytes: Uint8Array): Chunk {
  const [format] = bytes;
  if (format !== CHUNK_FORMAT) throw new Error(`a chunk has the unknown format ${format}`);
  const reader = new ByteReader(inflateRawSync(bytes.subarray(1), { maxOutputLength: LARGEST }));
  const rows: Row[] = [];
  let { sessions, boots, samples } = EMPTY_CHUNK;
  while (!reader.isAtEnd) {
    const tag = reader.byte();
    const kind = ROW_KINDS[tag & ~CLOCK_LOST];
    if (kind !== undefined) rows.push(...readRows(reader, kind, (tag & CLOCK_LOST) !== 0));
    else if (tag === SESSIONS) sessions = readSessions(reader);
    else if (tag === BOOTS) boots = readBoots(reader);
    else if (tag === SAMPLES) samples = readSamples(reader);
    else throw new Error(`a chunk has the unknown section ${tag}`);
  }
  return { rows, sessions, boots, samples };
}

function readBoots(reader: ByteReader): number[] {
  let step = 0;
  return Array.from({ length: reader.count() }, () => {
    step += reader.signed();
    return step;
  });
}
