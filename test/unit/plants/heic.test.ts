import { readFile } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { isHeic, readHeic } from '../../../src/plants/photo/image/heic.ts';

const SCRIPT = new URL('../../../src/heic-worker.mjs', import.meta.url);
const fixture = async (name: string) => new Uint8Array(await readFile(`test/fixtures/photos/${name}.heic`));
const alive = new AbortController().signal;

describe('decoding HEIC', () => {
  it('stops when its time is up', async () => {
    expect(await readHeic(await fixture('six-megapixels'), SCRIPT, alive, 1)).toEqual({
      ok: false,
      reason: 'too_slow',
    });
  });

  it('stops when the caller has hung up', async () => {
    const photo = await fixture('leaf');
    expect(await readHeic(photo, SCRIPT, AbortSignal.abort())).toEqual({ ok: false, reason: 'too_slow' });
  });

  it('uses no more memory than allowed', async () => {
    const bytes = await fixture('six-megapixels');
    const answer = (mostMemoryBytes: number) =>
      new Promise<unknown>((resolve, reject) => {
        const workerData = { bytes, mostPixels: 25_000_000, longestSide: 10, mostMemoryBytes };
        const thread = new Worker(SCRIPT, { workerData, stdout: true, stderr: true, execArgv: [] });
        thread.once('message', resolve);
        thread.once('error', reject);
      });
    expect(await answer(24 * 1024 * 1024)).toEqual({ ok: false, reason: 'damaged' });
    expect(await answer(256 * 1024 * 1024)).toMatchObject({ ok: true, width: 10, height: 7 });
  });
});

describe('HEIC detection by the first box', () => {
  const box = (text: string, length = text.length + 8) => {
    const head = Buffer.alloc(4);
    head.writeUInt32BE(length);
    return new Uint8Array(Buffer.concat([head, Buffer.from(`ftyp${text}`, 'latin1')]));
  };

  it.each([
    ['an iPhone photo', box('heic\0\0\0\0mif1heic'), true],
    ['a neutral brand with a compatible HEIC brand', box('mif1\0\0\0\0mif1heix'), true],
    ['AVIF', box('avif\0\0\0\0mif1miaf'), false],
    ['a video', box('isom\0\0\0\0isommp42'), false],
    ['a brand after the end of the box', box('mif1\0\0\0\0heic', 16), false],
    ['nothing', new Uint8Array(), false],
  ])('handles %s', (_name, bytes, expected) => {
    expect(isHeic(bytes)).toBe(expected);
  });
});
