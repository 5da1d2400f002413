import { Worker } from 'node:worker_threads';
import * as z from 'zod';
import { MOST_PIXELS } from '../image-limits.ts';
import type { PhotoOutcome } from './photo.ts';
import { writePng } from './png-writer.ts';

/** Providers shrink what they get to about this themselves (facts: Kindwise 1500, Pl@ntNet 1280). */
const LONGEST_SIDE = 1_500;
/** 25 megapixels need about 200 MB; the function has 512. */
const MOST_MEMORY_BYTES = 256 * 1024 * 1024;
/** 12 megapixels take some 4 s on the function's share of a processor; the providers need the rest of the request. */
const MOST_MS = 9_000;
const BRANDS: ReadonlySet<string> = new Set(['heic', 'heix', 'heim', 'heis', 'hevc', 'hevx']);

const Decoded = z.discriminatedUnion('ok', [
  z.object({ ok: z.literal(true), width: z.int(), height: z.int(), pixels: z.instanceof(Uint8Array) }),
  z.object({ ok: z.literal(false), reason: z.enum(['damaged', 'too_many_pixels']) }),
]);

/** Whether the bytes begin as HEIC does: a `ftyp` box (ISO 14496-12) that names one of its brands. */
export function isHeic(bytes: Uint8Array): boolean {
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, 256));
  if (start.length < 16 || start.toString('latin1', 4, 8) !== 'ftyp') return false;
  const end = Math.min(start.readUInt32BE(0), start.length);
  // The major brand, its version, then the compatible brands.
  for (let at = 8; at + 4 <= end; at += at === 8 ? 8 : 4)
    if (BRANDS.has(start.toString('latin1', at, at + 4))) return true;
  return false;
}

/**
 * Turns an iPhone's photo into what providers take: a PNG, upright, at most 1500 pixels a side. Nothing but the picture
 * survives. The work is done by a thread of its own, bounded in time and memory.
 *
 * @param worker where the thread's script is
 * @param signal ends the work when nobody waits for it any more
 */
export async function readHeic(
  bytes: Uint8Array,
  worker: URL,
  signal: AbortSignal,
  mostMs: number = MOST_MS,
): Promise<PhotoOutcome> {
  const decoded = await decode(bytes, worker, AbortSignal.any([signal, AbortSignal.timeout(mostMs)]));
  if (!decoded.ok) return decoded;
  const { width, height } = decoded;
  return { ok: true, photo: { type: 'image/png', width, height, bytes: await writePng(decoded) } };
}

type Outcome = z.output<typeof Decoded> | { readonly ok: false; readonly reason: 'too_slow' };

async function decode(bytes: Uint8Array, script: URL, signal: AbortSignal): Promise<Outcome> {
  if (signal.aborted) return { ok: false, reason: 'too_slow' };
  const limits = { mostPixels: MOST_PIXELS, longestSide: LONGEST_SIDE, mostMemoryBytes: MOST_MEMORY_BYTES };
  // The decoder writes what it thinks of a file to the console, which is nobody's log.
  const thread = new Worker(script, { workerData: { bytes, ...limits }, stdout: true, stderr: true, execArgv: [] });
  try {
    return await new Promise<Outcome>((resolve) => {
      thread.once('message', (message: unknown) => resolve(Decoded.parse(message)));
      // Wasm that traps and memory that is used up: for such a file there is no better answer.
      thread.once('error', () => resolve({ ok: false, reason: 'damaged' }));
      thread.once('exit', () => resolve({ ok: false, reason: 'damaged' }));
      signal.addEventListener('abort', () => resolve({ ok: false, reason: 'too_slow' }), { once: true });
    });
  } finally {
    await thread.terminate();
  }
}
