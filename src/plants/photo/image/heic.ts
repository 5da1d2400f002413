import { Worker } from 'node:worker_threads';
import * as z from 'zod';
import { MOST_PIXELS } from '../image-limits.ts';
import type { PhotoOutcome } from './photo.ts';
import { writePng } from './png-writer.ts';

/** Providers scale images down to about this size themselves (facts: Kindwise 1500, Pl@ntNet 1280). */
const LONGEST_SIDE = 1_500;
/** 25 megapixels need about 200 MB; the function has 512. */
const MOST_MEMORY_BYTES = 256 * 1024 * 1024;
/** 12 megapixels take about 4 s on the function's share of a CPU; the providers need the rest of the request. */
const MOST_MS = 9_000;
const BRANDS: ReadonlySet<string> = new Set(['heic', 'heix', 'heim', 'heis', 'hevc', 'hevx']);

const Decoded = z.discriminatedUnion('ok', [
  z.object({ ok: z.literal(true), width: z.int(), height: z.int(), pixels: z.instanceof(Uint8Array) }),
  z.object({ ok: z.literal(false), reason: z.enum(['damaged', 'too_many_pixels']) }),
]);

/** Checks whether the bytes begin with a `ftyp` box (ISO 14496-12) that names one of HEIC's brands. */
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
 * Converts an iPhone photo into what providers accept: an upright PNG of at most 1500 pixels a side, with nothing but
 * the picture. A worker thread does the work, with a limit on time and memory.
 *
 * @param worker URL of the thread's script
 * @param signal cancels the work when the caller has left
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
  // The decoder prints remarks on the file to the console; they do not belong in our log.
  const thread = new Worker(script, { workerData: { bytes, ...limits }, stdout: true, stderr: true, execArgv: [] });
  try {
    return await new Promise<Outcome>((resolve) => {
      thread.once('message', (message: unknown) => resolve(Decoded.parse(message)));
      // A Wasm trap or exhausted memory: there is no better answer for such a file.
      thread.once('error', () => resolve({ ok: false, reason: 'damaged' }));
      thread.once('exit', () => resolve({ ok: false, reason: 'damaged' }));
      signal.addEventListener('abort', () => resolve({ ok: false, reason: 'too_slow' }), { once: true });
    });
  } finally {
    await thread.terminate();
  }
}
