import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';

/** Largest state the app may store (contract), counted as JSON in UTF-8. */
export const LARGEST_STATE_BYTES = 512 * 1024;
/** A DynamoDB item may have 400 KB including names and keys (contract, trap 11); the difference is for those. */
const LARGEST_INLINE_BYTES = 380 * 1024;
/** Below this, compression saves too little to be worth the time. */
const COMPRESS_FROM_BYTES = 2 * 1024;

const compress = promisify(gzip);
const decompress = promisify(gunzip);

/** The state as stored: as text, compressed, or as an object in the bucket when even that is too large for an item. */
export type PackedState =
  | { readonly encoding: 'json'; readonly bytes: number; readonly body: string }
  | { readonly encoding: 'gzip'; readonly bytes: number; readonly body: Uint8Array }
  | { readonly encoding: 'object'; readonly bytes: number; readonly content: Uint8Array };

export type PackResult =
  | { readonly ok: true; readonly packed: PackedState }
  | { readonly ok: false; readonly bytes: number };

/** Chooses an encoding that fits. A state over the limit is rejected with its size. */
export async function packState(state: Readonly<Record<string, unknown>>): Promise<PackResult> {
  const json = JSON.stringify(state);
  const bytes = Buffer.byteLength(json);
  if (bytes > LARGEST_STATE_BYTES) return { ok: false, bytes };
  if (bytes < COMPRESS_FROM_BYTES) return { ok: true, packed: { encoding: 'json', bytes, body: json } };
  const compressed = await compress(json);
  if (compressed.byteLength > LARGEST_INLINE_BYTES) {
    return { ok: true, packed: { encoding: 'object', bytes, content: compressed } };
  }
  if (compressed.byteLength < bytes) return { ok: true, packed: { encoding: 'gzip', bytes, body: compressed } };
  return { ok: true, packed: { encoding: 'json', bytes, body: json } };
}

export async function unpackState(stored: string | Uint8Array): Promise<Record<string, unknown>> {
  const json =
    typeof stored === 'string'
      ? stored
      : (await decompress(stored, { maxOutputLength: LARGEST_STATE_BYTES })).toString('utf8');
  const state: unknown = JSON.parse(json);
  if (!isObject(state)) throw new Error('the stored state is not an object');
  return state;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
